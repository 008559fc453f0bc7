"""The file of identity providers (see docs/accounts.md and config/oidc.example.yaml)."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Annotated

from pydantic import Field

from adapters.scalars import Id
from energy.documents import Document, NameWords, Words, checked, open_document
from energy.errors import ConfigurationError
from gateway.accounts.provider import Provider, Providers, Second

_READABLE_BY_OTHERS = 0o077


class ProviderWords(Words):
    """An identity provider."""

    id: Id
    name: NameWords
    issuer: str
    client_id: Annotated[str, Field(min_length=1)]
    secret_file: str | None = None
    secret_variable: str | None = None
    claim: str = "sub"
    scopes: list[str] = ["openid"]
    hosts: list[str] = []
    makes_accounts: bool = False
    named_by: str = "preferred_username"
    second_factor: Second = Second.ASK


class ProvidersWords(Words):
    """What may stand in the file."""

    page: str
    networks: list[str] = []
    proxy: str | None = None
    ca_file: str | None = None
    providers: Annotated[list[ProviderWords], Field(min_length=1)]


def load_providers(file: Path | None) -> Providers:
    """The providers of a file, with their secrets; all faults at once."""
    if file is None:
        return Providers()
    document = open_document(file)
    words = checked(document, ProvidersWords)
    faults: list[str] = []
    made = [_made(one, words, document, i, faults) for i, one in enumerate(words.providers)]
    if faults:
        raise ConfigurationError(faults)
    try:
        return Providers(words.page, tuple(p for p in made if p is not None))
    except ValueError as error:
        raise ConfigurationError([f"{file}: {error}"]) from error


def _made(
    words: ProviderWords, of_all: ProvidersWords, document: Document, i: int, faults: list[str]
) -> Provider | None:
    folder = Path(document.path).parent
    try:
        return Provider(
            words.id,
            words.issuer,
            words.client_id,
            words.name.text,
            _secret(words, folder),
            claim=words.claim,
            scopes=tuple(words.scopes),
            hosts=frozenset(words.hosts),
            networks=tuple(of_all.networks),
            proxy=of_all.proxy,
            ca_file=_authorities(of_all.ca_file, folder),
            makes_accounts=words.makes_accounts,
            named_by=words.named_by,
            second=words.second_factor,
        )
    except ValueError as error:
        faults.append(document.fault(("providers", i), str(error)))
        return None


def _authorities(name: str | None, folder: Path) -> Path | None:
    """The file of certificates to believe, if one is named; ValueError where it holds none."""
    if name is None:
        return None
    try:
        ssl.create_default_context(cafile=str(folder / name))
    except OSError as error:
        raise ValueError(f"ca_file {folder / name} holds no certificates that can be read: {error}") from error
    return folder / name


def _secret(words: ProviderWords, folder: Path) -> str:
    """Of a file that its owner alone reads, or of the environment; none for a client that is known to have none."""
    if words.secret_file is not None and words.secret_variable is not None:
        raise ValueError("secret_file and secret_variable: give one of them")
    if words.secret_variable is not None:
        if not (found := os.environ.get(words.secret_variable, "")):
            raise ValueError(f"the variable {words.secret_variable} is not set")
        return found
    if words.secret_file is None:
        return ""
    file = folder / words.secret_file
    try:
        if file.stat().st_mode & _READABLE_BY_OTHERS:
            raise ValueError(f"{file} can be read by others; let only its owner read it: chmod 600 {file}")
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"secret_file {file} cannot be read: {error}") from error
    if not secret:
        raise ValueError(f"secret_file {file} is empty")
    return secret
