"""What was written to meters, by whom: a line of JSON before each write and one after it, kept for good."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from energy.errors import StoreError


class WriteLog:
    """A file that only grows; a line is on the disk when `note` returns."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def note(self, **said: Any) -> None:
        """Add a line; StoreError where the disk does not take it."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, msgspec.json.encode(said) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StoreError(f"{self.file}: cannot be written: {error.strerror}; so nothing was written") from error
