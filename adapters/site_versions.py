"""Versions of the site file of an edge, as its gateway hands them over: numbered, for this edge alone, and signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from adapters.site_export import site_words
from adapters.site_signing import CheckingKey, SigningKey
from energy.errors import EnergyError
from energy.sites import Site

# A message of the embedded broker has 1 MiB at most, and the text stands in it as a string.
LARGEST = 900_000
_DOMAIN = b"jieneng/v1/site\n"
_SHOWN = 12


class SiteVersion(msgspec.Struct, frozen=True):
    """What is signed: a site file and the profiles of one's own that it names, by the names that it calls them.

    made_at : when, in ms since the epoch. digest : of what stands in it, whatever its number.
    """

    edge: str
    number: int
    made_at: int
    site: str
    profiles: dict[str, str] = {}

    @property
    def digest(self) -> str:
        return digest(self.site, self.profiles)

    @property
    def name(self) -> str:
        """As it is told: `1795140000-3f9c0a1b2c3d`."""
        return version_name(self.number, self.digest)


class _Signed(msgspec.Struct):
    """The message: the text that was signed, as it was, and the signature in base64."""

    content: str
    signature: str


def digest(site: str, profiles: Mapping[str, str]) -> str:
    return hashlib.sha256(msgspec.json.encode([site, sorted(profiles.items())])).hexdigest()


def version_name(number: int, digest: str) -> str:
    return f"{number}-{digest[:_SHOWN]}"


def profile_name(file: str, text: str) -> str:
    """How a profile of one's own is called at the edge: another text is another file."""
    return f"profiles/{PurePath(file).stem}-{hashlib.sha256(text.encode()).hexdigest()[:_SHOWN]}.yaml"


def plain_text(site: Site) -> str:
    """A site file with one line for each record. JSON is YAML, and is written a hundred times as fast."""
    words = site_words(site)
    lists = {key: words.pop(key) for key in list(words) if isinstance(words[key], list)}
    parts = [_json(words)[:-1]]
    for key, items in lists.items():
        parts.append(f",\n{_json(key)}: [\n" + ",\n".join(_json(item) for item in items) + "]")
    return "".join(parts) + "}\n"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def signed(version: SiteVersion, key: SigningKey) -> bytes:
    """The message that hands it over."""
    content = msgspec.json.encode(version)
    signature = base64.b64encode(key.sign(_DOMAIN + content)).decode()
    return msgspec.json.encode(_Signed(content.decode(), signature))


def opened(payload: bytes, key: CheckingKey, edge: str) -> SiteVersion:
    """What the gateway has signed for this edge; EnergyError where it is nothing of the kind."""
    try:
        message = msgspec.json.decode(payload, type=_Signed)
        signature = base64.b64decode(message.signature, validate=True)
        content = message.content.encode()
    except (msgspec.DecodeError, UnicodeError, binascii.Error, ValueError) as error:
        raise EnergyError(f"is no signed site file: {error}") from error
    if not key.accepts(_DOMAIN + content, signature):
        raise EnergyError("is not signed by the gateway of this edge")
    try:
        version = msgspec.json.decode(content, type=SiteVersion)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise EnergyError(f"is signed, but of a form that this version of Jieneng does not know: {error}") from error
    if version.edge != edge:
        raise EnergyError(f"is for edge {version.edge!r}, this one is {edge!r}")
    return version
