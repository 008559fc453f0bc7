"""Identity providers (OpenID Connect) that an installation trusts, as they are set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.outgoing import Destinations, origin_of
from energy.errors import ConfigurationError
from energy.names import Text, check_id


class Second(StrEnum):
    """What becomes of our second factor where a provider vouches for somebody."""

    # It is asked for, where the account has one.
    ASK = "ask"
    # It is not asked for where the token's `amr` says that the provider asked for more than a password.
    AMR = "amr"
    # It is not asked for: the provider always asks for two.
    TRUSTED = "trusted"


# Methods of RFC 8176 that are, or come on top of, a second factor; `mfa` says that there were several.
_STRONG = frozenset({"mfa", "otp", "hwk", "swk", "sc", "fpt", "face", "iris", "retina", "vbm"})


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody who vouches for people.

    claim : the claim of its tokens that tells accounts apart. hosts : names beside that of the issuer which its
    endpoints may have. networks, proxy, ca_file : private networks in which these may lie, what they are asked through,
    and the authorities whose certificates are believed, as of `adapters.outgoing`. makes_accounts : whoever it vouches
    for is given an account, without any grant, that is called as the claim `named_by` says.
    """

    id: str
    issuer: str
    client_id: str
    name: Text
    secret: str = field(default="", repr=False)
    claim: str = "sub"
    scopes: tuple[str, ...] = ("openid",)
    hosts: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()
    proxy: str | None = None
    ca_file: Path | None = None
    makes_accounts: bool = False
    named_by: str = "preferred_username"
    second: Second = Second.ASK

    def __post_init__(self) -> None:
        check_id("provider", self.id)
        parts = urlsplit(self.issuer)
        if parts.query or parts.fragment or parts.username or not is_safe(self.issuer):
            raise ValueError(f"issuer {self.issuer} must be an address of https, without query, fragment and user")
        if "openid" not in self.scopes:
            raise ValueError("scopes must contain openid")
        try:
            _ = self.destinations
        except ConfigurationError as error:
            raise ValueError("; ".join(error.faults)) from error

    @property
    def destinations(self) -> Destinations:
        """Whom the gateway may ask for this provider."""
        listed = [f"{scheme}://{host}" for host in self.hosts for scheme in ("https", "http")]
        safe = [address for address in listed if is_safe(address)]
        return Destinations.of([self.issuer, *safe], self.networks, self.proxy)

    def may_ask(self, address: str) -> bool:
        """Whether an endpoint is of this provider: of the issuer's host and port, or of a host that was listed."""
        try:
            return is_safe(address) and origin_of(address) in self.destinations.origins
        except ValueError:
            return False

    def is_second(self, claims: Mapping[str, Any]) -> bool:
        """Whether our second factor need not be asked for."""
        amr = claims.get("amr")
        named = {m for m in amr if isinstance(m, str)} if isinstance(amr, list) else set[str]()
        return self.second is Second.TRUSTED or (self.second is Second.AMR and bool(named & _STRONG))


def is_safe(address: str) -> bool:
    """Whether it is an address of https; on this machine, for rehearsals, http will do."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname)))


def _is_here(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Providers:
    """All of an installation; `page` is the address of its page, to which they send people back."""

    page: str = ""
    all: tuple[Provider, ...] = ()

    def __post_init__(self) -> None:
        if self.all and not is_safe(self.page):
            raise ValueError(f"page {self.page!r} must be the address of the page, by https")
        ids, issuers = [p.id for p in self.all], [p.issuer for p in self.all]
        for name in sorted({n for names in (ids, issuers) for n in names if names.count(n) > 1}):
            raise ValueError(f"{name} is listed twice")

    def named(self, provider_id: str) -> Provider | None:
        return next((p for p in self.all if p.id == provider_id), None)
