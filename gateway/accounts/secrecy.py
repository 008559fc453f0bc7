"""Secrets: made, kept as hashes, and, where they are needed again, sealed by the key of the installation."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from energy.errors import EnergyError

_KEY_BYTES = 32
_NONCE_BYTES = 12


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
    """Seals secrets with AES-256-GCM (NIST SP 800-38D), each under a nonce of its own."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise EnergyError(f"the key has {len(key)} bytes, not {_KEY_BYTES}")
        self._key = key
        # The key of the file is for other uses too: this one is made of it for sealing alone.
        self._cipher = AESGCM(hmac.digest(key, b"jieneng sealed secrets", hashlib.sha256))

    def key_for(self, purpose: str) -> bytes:
        """Another key, for this purpose alone."""
        return hmac.digest(self._key, f"jieneng {purpose}".encode(), hashlib.sha256)

    def sealed(self, secret: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), None)).decode()

    def opened(self, sealed: str) -> str:
        """EnergyError where it was sealed by another key, or changed."""
        try:
            whole = b64decode(sealed)
            return self._cipher.decrypt(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:], None).decode()
        except (InvalidTag, ValueError) as error:
            raise EnergyError("a sealed secret does not open: secret.key is not the one it was sealed by") from error


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
