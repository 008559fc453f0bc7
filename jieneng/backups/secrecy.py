"""Keys in a backup: which files they are, and how they are sealed under a password.

The key is made of the password by scrypt (RFC 7914; N = 2^15, r = 8, p = 1), the files are sealed by AES-256-GCM (NIST
SP 800-38D), whose tag tells of another password and of a changed byte.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from energy.errors import EnergyError

_MAGIC = b"jieneng sealed 1"
_SALT, _NONCE = 16, 12
_N, _R, _P, _MEMORY = 2**15, 8, 1, 64 << 20
_FOLDERS, _NAMES, _ENDINGS = ("identities",), ("password",), (".key", ".pem", ".p12", ".password", ".secret")
LEAST = 12


def is_secret(name: str) -> bool:
    """Whether a file of the data folder is a key, by its name or its folder."""
    path = PurePosixPath(name)
    return path.parts[0] in _FOLDERS or path.name in _NAMES or path.suffix in _ENDINGS


def password_of(file: Path) -> str:
    """The password in a file; EnergyError where there is none that would do."""
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnergyError(f"{file} gives no password: {error}") from error
    if len(found) < LEAST:
        raise EnergyError(f"{file}: a password for keys has {LEAST} characters at least")
    return found


def sealed(files: Mapping[str, Path], password: str) -> bytes:
    """The files as one, which nobody reads without the password."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in files.items():
            content = path.read_bytes()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), path.stat().st_mode & 0o777
            tar.addfile(info, io.BytesIO(content))
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    return _MAGIC + salt + nonce + AESGCM(_key(password, salt)).encrypt(nonce, packed.getvalue(), _MAGIC)


def unsealed(content: bytes, password: str) -> Iterator[tuple[str, int, bytes]]:
    """Name, mode and content of each file; EnergyError where the password is another."""
    head, rest = content[: len(_MAGIC)], content[len(_MAGIC) :]
    salt, nonce, body = rest[:_SALT], rest[_SALT : _SALT + _NONCE], rest[_SALT + _NONCE :]
    if head != _MAGIC:
        raise EnergyError("the keys are sealed in a form that this version does not know")
    try:
        packed = AESGCM(_key(password, salt)).decrypt(nonce, body, _MAGIC)
    except (InvalidTag, ValueError) as error:
        raise EnergyError("the keys do not open: the password is not the one they were saved under") from error
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in tar:
            opened = tar.extractfile(member)
            if opened is not None:
                yield member.name, member.mode, opened.read()


def _key(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=_MEMORY, dklen=32)
