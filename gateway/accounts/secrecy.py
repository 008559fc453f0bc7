"""Secrets: made, kept as hashes, and, where they are needed again, sealed by the key of the installation."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from energy.errors import EnergyError

_KEY_BYTES = 32
_NONCE_BYTES = 16
_LONGEST = 64


def new_secret() -> str:
    """256 bits, as text that fits into cookies, headers and addresses."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """How a secret of 80 bits or more is kept: nobody guesses it, so that a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(secret: str) -> str:
    """The word that a page must know beside the cookie: made from the session, so that it changes with it."""
    return hmac.new(secret.encode(), b"jieneng csrf", hashlib.sha256).hexdigest()


class Seal:
    """Seals secrets of up to 64 bytes: XOR with HMAC-SHA-512 of a nonce used once, then HMAC-SHA-256 over both.

    Encrypt-then-MAC with a block of a pseudo-random function; needs nothing but the standard library.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise EnergyError(f"the key has {len(key)} bytes, not {_KEY_BYTES}")
        self._key = key
        self._cover = hmac.digest(key, b"cover", hashlib.sha256)
        self._check = hmac.digest(key, b"check", hashlib.sha256)

    def key_for(self, purpose: str) -> bytes:
        """Another key, for this purpose alone."""
        return hmac.digest(self._key, f"jieneng {purpose}".encode(), hashlib.sha256)

    def sealed(self, secret: str) -> str:
        given = secret.encode()
        if len(given) > _LONGEST:
            raise ValueError(f"a secret of {len(given)} bytes is too long to be sealed")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = nonce + self._covered(nonce, given)
        return b64encode(body + hmac.digest(self._check, body, hashlib.sha256)).decode()

    def opened(self, sealed: str) -> str:
        """EnergyError where it was sealed by another key, or changed."""
        whole = b64decode(sealed)
        body, check = whole[:-32], whole[-32:]
        if not hmac.compare_digest(check, hmac.digest(self._check, body, hashlib.sha256)):
            raise EnergyError("a sealed secret does not open: secret.key is not the one that it was sealed by")
        return self._covered(body[:_NONCE_BYTES], body[_NONCE_BYTES:]).decode()

    def _covered(self, nonce: bytes, text: bytes) -> bytes:
        stream = hmac.digest(self._cover, nonce, hashlib.sha512)
        return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def open_seal(file: Path) -> Seal:
    """The seal with the key of a file, which is made at the first start, for its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            raise EnergyError(f"{file} can be read by others; let only its owner read it: chmod 600 {file}") from None
        return Seal(file.read_bytes())
    with os.fdopen(handle, "wb") as made:
        made.write(secrets.token_bytes(_KEY_BYTES))
    return Seal(file.read_bytes())
