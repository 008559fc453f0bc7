"""Identity providers and links as the API tells and takes them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from gateway.accounts.provider import Provider
from gateway.accounts.subjects import Link
from gateway.accounts.words import Name, Password, Why
from gateway.api.words import TextWords

ProviderId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Given = Annotated[str, msgspec.Meta(max_length=4096)]


class ProviderWords(msgspec.Struct):
    """An identity provider that one may sign in by."""

    id: str
    name: TextWords

    @classmethod
    def of(cls, provider: Provider) -> ProviderWords:
        return cls(provider.id, TextWords(provider.name.zh, provider.name.en))


class ProvidersAnswer(msgspec.Struct):
    """All of them, in the order of the settings."""

    providers: list[ProviderWords]


class ByProvider(msgspec.Struct, forbid_unknown_fields=True):
    """By whom one wishes to sign in."""

    provider: ProviderId


class LinkByProvider(msgspec.Struct, forbid_unknown_fields=True):
    """By whom one wishes to sign in from now on, and the present password."""

    provider: ProviderId
    password: Password


class OnTheWay(msgspec.Struct):
    """Where the browser goes now, and what it keeps until it is back."""

    address: str
    flow: str


class Back(msgspec.Struct, forbid_unknown_fields=True):
    """What the browser kept, and with what the provider sent it back."""

    flow: Secret
    state: Secret
    code: Given = ""
    error: Given = ""


class LinkWords(msgspec.Struct):
    """An account, as a provider knows it."""

    id: int
    issuer: str
    subject: str
    who: str
    linked_at: int

    @classmethod
    def of(cls, link: Link) -> LinkWords:
        return cls(link.id, link.issuer, link.subject, link.who, link.linked_at_ms)


class LinksAnswer(msgspec.Struct):
    """Links of an account."""

    links: list[LinkWords]


class LinksOf(msgspec.Struct, forbid_unknown_fields=True):
    """Whose links."""

    account: Name


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """An account, and whom a provider knows under `subject`."""

    name: Name
    provider: ProviderId
    subject: Subject
    why: Why = ""
