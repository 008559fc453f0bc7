"""Files that hold secrets: for their owner alone, written whole or not at all, refused where others can read them."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from energy.errors import EnergyError

_OF_OTHERS = 0o077
# What systemd hands to a service is shown to its user by an access list, which looks like a right of the group to read.
_OF_OTHERS_THERE = _OF_OTHERS & ~0o040


def write_secret(file: Path, content: bytes) -> None:
    """Put `content` in the place of what was there, with the rights 0600."""
    _written(file, content, 0o600)


def write_public(file: Path, content: bytes) -> None:
    """Like a secret, but for everybody to read: a certificate, a public key."""
    _written(file, content, 0o644)


def _written(file: Path, content: bytes, rights: int) -> None:
    own_folder(file.parent)
    try:
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            # The rights are there before the content is.
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, rights), "wb") as made:
                os.fchmod(made.fileno(), rights)
                made.write(content)
                made.flush()
                os.fsync(made.fileno())
            draft.replace(file)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
    except OSError as error:
        raise EnergyError(f"{file}: cannot be written: {error.strerror}") from error


def own_folder(folder: Path) -> None:
    """Make a folder, where there is none, that its owner alone can enter."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnergyError(f"{folder}: cannot be written: {error.strerror}") from error


def must_be_private(file: Path) -> None:
    """EnergyError where it is not there, or others than its owner can read or change it."""
    try:
        rights = file.stat().st_mode
    except OSError as error:
        raise EnergyError(f"{file}: cannot be read: {error.strerror}") from error
    handed = os.environ.get("CREDENTIALS_DIRECTORY")
    if rights & (_OF_OTHERS_THERE if handed and file.parent == Path(handed) else _OF_OTHERS):
        raise EnergyError(f"{file} can be read by others; let only its owner read it: chmod 600 {file}")


def read_secret(file: Path) -> bytes:
    """What stands in it; EnergyError where it cannot be read, or can be read by others too."""
    must_be_private(file)
    try:
        return file.read_bytes()
    except OSError as error:
        raise EnergyError(f"{file}: cannot be read: {error.strerror}") from error
