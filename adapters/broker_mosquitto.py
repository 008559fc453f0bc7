"""The files by which Mosquitto knows who may come and what he may say (see config/mosquitto/mosquitto.conf)."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from adapters.broker_rules import Rights
from adapters.secret_files import write_public, write_secret

# Passwords are 256 bits of chance, which no number of rounds makes harder to guess.
_ROUNDS = 1000
_SALT_BYTES = 12


def hashed_password(password: str) -> str:
    """As `mosquitto_passwd` of Mosquitto 2 writes it: PBKDF2 by SHA-512."""
    salt = secrets.token_bytes(_SALT_BYTES)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${b64encode(salt).decode()}${b64encode(made).decode()}"


def write_passwords(folder: Path, hashes: Mapping[str, str]) -> None:
    """`password_file`: names and hashes."""
    write_secret(folder / "passwords", "".join(f"{name}:{made}\n" for name, made in sorted(hashes.items())).encode())


def write_rules(folder: Path, rights: Mapping[str, Rights]) -> None:
    """`acl_file`: what is not named is denied."""
    text = "\n".join(_rules(name, of_name) for name, of_name in sorted(rights.items()))
    write_secret(folder / "acl", text.encode())


def _rules(name: str, rights: Rights) -> str:
    said = [f"topic write {topic}\n" for topic in rights.publish]
    return f"user {name}\n" + "".join([*said, *(f"topic read {topic}\n" for topic in rights.subscribe)])


def write_transport(folder: Path, authority: bytes, certificate: bytes, key: bytes, revoked: bytes) -> None:
    """`cafile`, `certfile`, `keyfile` and `crlfile`."""
    for name, content in (("ca.pem", authority), ("server.pem", certificate), ("crl.pem", revoked)):
        write_public(folder / name, content)
    write_secret(folder / "server.key", key)
