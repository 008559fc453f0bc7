"""The key by which a gateway signs what it hands to its edges, and by which they know it: Ed25519 (RFC 8032)."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from adapters.secret_files import read_secret, write_public, write_secret
from energy.errors import EnergyError

# Within the folder of identities; the public half also lies, by its last name, in the folder of every edge.
SIGNING_KEY = Path("keys") / "site-signing.key"
CHECKING_KEY = "site-signing.pub"


class SigningKey:
    """Of the gateway."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def sign(self, content: bytes) -> bytes:
        """64 bytes; the same content has the same signature."""
        return self._key.sign(content)

    @property
    def checking(self) -> CheckingKey:
        return CheckingKey(self._key.public_key())


class CheckingKey:
    """Of an edge: the public half."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    def accepts(self, content: bytes, signature: bytes) -> bool:
        """Whether the gateway has signed this content."""
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    @property
    def pem(self) -> bytes:
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def open_signing_key(identities: Path) -> SigningKey:
    """The key in the folder of identities (`DATA/identities`), made where there is none yet."""
    file = identities / SIGNING_KEY
    if not file.exists():
        made = Ed25519PrivateKey.generate()
        write_secret(file, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        write_public(file.with_name(CHECKING_KEY), SigningKey(made).checking.pem)
    try:
        key = load_pem_private_key(read_secret(file), password=None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EnergyError(f"{file}: is not a private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EnergyError(f"{file}: is not an Ed25519 key")
    return SigningKey(key)


def read_checking_key(identity: Path) -> CheckingKey:
    """The public key of its gateway, in the folder that `jieneng edge enroll` made for an edge."""
    file = identity / CHECKING_KEY
    try:
        key = load_pem_public_key(file.read_bytes())
    except OSError as error:
        raise EnergyError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EnergyError(f"{file}: is not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise EnergyError(f"{file}: is not an Ed25519 key")
    return CheckingKey(key)
