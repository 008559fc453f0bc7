"""A backup as a file: a tar archive (POSIX pax) whose last member is the manifest."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from energy.errors import EnergyError
from jieneng.backups.manifest import NAME, Manifest, Part

# How many of all bytes are done.
Told = Callable[[int], None]
_BLOCK = 1 << 20
_BROKEN = (tarfile.TarError, EOFError, zlib.error, UnicodeDecodeError)


class _Counted(io.RawIOBase):
    """A file of which a hash is taken while it is read."""

    def __init__(self, file: IO[bytes], told: Callable[[int], None]) -> None:
        self._file, self._told, self._hash = file, told, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._hash.update(block)
        self._told(len(block))
        return block

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class Writer:
    """Writes parts into an archive, and at last what they are."""

    def __init__(self, tar: tarfile.TarFile, told: Told) -> None:
        self._tar, self._told, self._done = tar, told, 0
        self.parts: list[Part] = []

    def add(self, name: str, file: Path, rows: Mapping[str, int], sums: Mapping[str, str], mode: int = 0o600) -> None:
        with file.open("rb") as opened:
            self._add(name, opened, os.fstat(opened.fileno()).st_size, dict(rows), dict(sums), mode)

    def add_bytes(self, name: str, content: bytes) -> None:
        self._add(name, io.BytesIO(content), len(content), {}, {}, 0o600)

    def _add(
        self, name: str, opened: IO[bytes], size: int, rows: dict[str, int], sums: dict[str, str], mode: int
    ) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, mode
        counted = _Counted(opened, self._advance)
        self._tar.addfile(info, counted)
        self.parts.append(Part(name, size, counted.digest, mode, rows, sums))

    def end(self, manifest: Manifest) -> None:
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        info = tarfile.TarInfo(NAME)
        info.size, info.mode = len(content), 0o600
        self._tar.addfile(info, io.BytesIO(content))

    def _advance(self, count: int) -> None:
        self._done += count
        self._told(self._done)


@contextmanager
def written(file: Path, told: Told, *, gzip: bool = False) -> Iterator[Writer]:
    """A new archive that only its owner reads; under another name, and on the disk, before it has its own."""
    draft = file.with_name(f".{file.name}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            with _opened(raw, gzip) as tar:
                yield Writer(tar, told)
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
        _settle(file.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _opened(raw: IO[bytes], gzip: bool) -> tarfile.TarFile:
    if gzip:
        return tarfile.open(fileobj=raw, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=1)
    return tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT)


def _settle(folder: Path) -> None:
    """Let the new name be on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_manifest(file: Path) -> Manifest:
    """What a backup says of itself; EnergyError where the file is none, or is not whole."""
    with _reading(file) as tar:
        last = next(iter(deque(tar, 1)), None)
        opened = tar.extractfile(last) if last is not None and last.name == NAME else None
        if opened is None:
            raise EnergyError(f"{file} is not a whole backup: it ends without its manifest")
        try:
            manifest = msgspec.json.decode(opened.read(), type=Manifest)
        except msgspec.DecodeError as error:
            raise EnergyError(f"{file}: its manifest cannot be read: {error}") from error
    manifest.must_be_understood()
    return manifest


def verified(file: Path, told: Told, into: Callable[[Part], Path | None] = lambda _part: None) -> Manifest:
    """Read all of a backup and compare it with its manifest; `into` says where a part is to be written, if anywhere.

    EnergyError tells every part that is missing or differs; what was written of these is not to be used.
    """
    manifest = read_manifest(file)
    wanted = {part.name: part for part in manifest.parts}
    done, faults = 0, []
    with _reading(file) as tar:
        for member in tar:
            part = wanted.pop(member.name, None)
            opened = tar.extractfile(member)
            if part is None or opened is None:
                if member.name != NAME:
                    faults.append(f"{member.name} is not of it")
                continue

            def advance(count: int) -> None:
                nonlocal done
                done += count
                told(done)

            counted = _Counted(opened, advance)
            size = _poured(counted, into(part), part.mode)
            if (size, counted.digest) != (part.bytes, part.sha256):
                faults.append(f"{part.name} is damaged: {size} bytes are not the {part.bytes} that were saved")
    faults += [f"{name} is missing" for name in wanted]
    if faults:
        raise EnergyError(f"{file} is damaged: {'; '.join(faults)}")
    return manifest


def _poured(source: _Counted, to: Path | None, mode: int) -> int:
    """Read to the end, into a file where one is named; how many bytes there were."""
    total = 0
    if to is None:
        while block := source.read(_BLOCK):
            total += len(block)
        return total
    to.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o777), "wb") as out:
        os.fchmod(out.fileno(), mode & 0o777)
        while block := source.read(_BLOCK):
            total += out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return total


@contextmanager
def _reading(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, mode="r:*") as tar:
            yield tar
    except _BROKEN as error:
        raise EnergyError(f"{file} is not a whole backup: {error}") from error
    except OSError as error:
        raise EnergyError(f"{file} cannot be read: {error.strerror or error}") from error
