"""What a gateway keeps of each edge that it has heard of, a small JSON file for each; written whole or not at all."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from energy.errors import StoreError

# Edges are named by topics, which whoever reaches the broker may choose.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


class EdgeFiles:
    """A folder with a file per edge. An edge whose name is no name for a file has none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Several processes may keep the same edges in the same folder.
        self._draft = f".{secrets.token_hex(4)}.new"

    def all(self) -> Iterator[tuple[str, bytes]]:
        """What was written of each edge; StoreError where it cannot be read."""
        try:
            for file in sorted(self._folder.glob("*.json")):
                yield file.name.removesuffix(".json"), file.read_bytes()
        except OSError as error:
            raise StoreError(f"{self._folder}: cannot be read: {error.strerror}") from error

    def write(self, edge: str, content: bytes) -> None:
        """Keep it in the place of what was there; StoreError where the disk does not take it."""
        if _NAME.fullmatch(edge) is None:
            return
        file = self._folder / f"{edge}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}{self._draft}")
            draft.write_bytes(content)
            draft.replace(file)
        except OSError as error:
            raise StoreError(f"{file}: cannot be written: {error.strerror}") from error

    def remove(self, edge: str) -> None:
        if _NAME.fullmatch(edge) is not None:
            (self._folder / f"{edge}.json").unlink(missing_ok=True)
