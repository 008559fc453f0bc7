"""The seal: a key beside the database that signs where the chain ends, and a copy of that end in a file.

Whoever can write the database but not read `audit.key` cannot sign a chain made anew; whoever puts an older database
back is told by `audit.head`. Whoever can do both is only told by a head that was kept elsewhere.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from energy.errors import EnergyError

_KEY, _HEAD = "audit.key", "audit.head"
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Head:
    """A place of the chain: the row `seq` has this hash; `signature` proves who said so."""

    name: str
    seq: int
    hash: str
    signature: str = ""

    @property
    def text(self) -> str:
        """One line, always of the same length, so that writing it over another leaves nothing of that."""
        return f"{self.seq:020d} {self.hash} {self.signature}\n"

    @classmethod
    def parse(cls, text: str, where: str) -> Head:
        try:
            seq, digest, signature = text.split()
            return cls("head", int(seq), digest, signature)
        except ValueError as error:
            raise EnergyError(f"{where} is no head of an audit log; it is one line: number, hash, signature") from error


class Seal:
    """The key and the head file of a folder; the key is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key: bytes | None = None

    @property
    def has_key(self) -> bool:
        """Whether the key is there; it is made when it is first needed."""
        return (self.folder / _KEY).exists()

    def signed(self, name: str, seq: int, digest: str) -> Head:
        return Head(name, seq, digest, self._sign(name, seq, digest))

    def holds(self, head: Head) -> bool:
        """Whether the head was signed with our key; one of an empty log need not be."""
        if head.seq == 0 and not head.signature:
            return True
        return hmac.compare_digest(self._sign(head.name, head.seq, head.hash), head.signature)

    def kept_head(self) -> Head | None:
        """The head that the file has."""
        file = self.folder / _HEAD
        return Head.parse(file.read_text(encoding="ascii"), str(file)) if file.exists() else None

    def keep(self, head: Head) -> None:
        """Write the head beside the database; a head that is older than the one there is left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / _HEAD, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            now = os.pread(descriptor, 20, 0)
            if not now.isdigit() or int(now) < head.seq:
                os.pwrite(descriptor, head.text.encode("ascii"), 0)
        finally:
            os.close(descriptor)

    def _sign(self, name: str, seq: int, digest: str) -> str:
        self._key = self._key or _key(self.folder / _KEY)
        return hmac.new(self._key, f"{name} {seq} {digest}".encode(), "sha256").hexdigest()


def _key(file: Path) -> bytes:
    if not file.exists():
        _make(file)
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError as error:
        raise EnergyError(f"{file} is no key; put the right one back from a copy of the data folder") from error
    if len(key) != _BYTES:
        raise EnergyError(f"{file} is no key of {_BYTES} bytes; put the right one back from a copy of the data folder")
    return key


def _make(file: Path) -> None:
    """Make the key, whole or not at all; where another process was faster, its key holds."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(secrets.token_hex(_BYTES) + "\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
