"""What an edge has learnt of its meters, a small JSON file for each; written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from energy.errors import StoreError


class LearntFiles:
    """A folder with a file per meter."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, meter: str) -> bytes | None:
        """What was written last; None where nothing was, StoreError where it cannot be read."""
        try:
            return self._file(meter).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self._file(meter)}: cannot be read: {error.strerror}") from error

    def write(self, meter: str, content: bytes) -> None:
        """Keep it in the place of what was there; StoreError where the disk does not take it."""
        file = self._file(meter)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(".new")
            draft.write_bytes(content)
            draft.replace(file)
        except OSError as error:
            raise StoreError(f"{file}: cannot be written: {error.strerror}") from error

    def _file(self, meter: str) -> Path:
        return self._folder / f"{meter}.json"
