"""The file of channels: how people are reached, and under which address this gateway is (see docs/alarms.md)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from adapters.notify_dingtalk import DingTalkRobot
from adapters.notify_log import LogChannel
from adapters.notify_smtp import SmtpServer
from adapters.notify_webhook import Webhook
from adapters.outgoing import Destinations, Outgoing, origin_of
from adapters.scalars import Duration, Id
from energy.documents import Document, Words, checked, open_document
from energy.errors import ConfigurationError
from energy.ports import Notifier


class SecretWords(Words):
    """Where a secret stands: in a file of its own, or in the environment. Never in this file."""

    file: str | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> SecretWords:
        if (self.file is None) == (self.env is None):
            raise ValueError("give one of file and env")
        return self


class DingTalkWords(Words):
    """A group robot; `personal` where nobody but one person is in its group."""

    id: Id
    kind: Literal["dingtalk"]
    address: str = "https://oapi.dingtalk.com/robot/send"
    token: SecretWords
    secret: SecretWords | None = None
    personal: bool = False


class SmtpWords(Words):
    """A mail server."""

    id: Id
    kind: Literal["smtp"]
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    sender: str = Field(alias="from")
    tls: Literal["implicit", "starttls", "none"] = "starttls"
    user: str | None = None
    password: SecretWords | None = None
    ca_file: str | None = None


class WebhookWords(Words):
    """An address of the operator's own."""

    id: Id
    kind: Literal["webhook"]
    address: str
    secret: SecretWords
    personal: bool = False


class LogWords(Words):
    """The log."""

    id: Id
    kind: Literal["log"]


ChannelWords = Annotated[DingTalkWords | SmtpWords | WebhookWords | LogWords, Field(discriminator="kind")]


class ChannelFileWords(Words):
    """A file of channels. `public` is what links in messages begin with: where a phone reaches this gateway."""

    public: str | None = None
    link_holds: Duration = 86_400.0
    networks: list[str] = []
    proxy: str | None = None
    ca_file: str | None = None
    channels: list[ChannelWords] = []


@dataclass(frozen=True, slots=True)
class Channels:
    """What a file of channels says, with its secrets read."""

    words: ChannelFileWords = field(default_factory=ChannelFileWords)
    secrets: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    folder: Path = Path()

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.words.channels]

    def kind(self, channel: str) -> str:
        return next((one.kind for one in self.words.channels if one.id == channel), "")


LOG_ONLY = Channels(ChannelFileWords(channels=[LogWords(id="log", kind="log")]))


def read_channels(path: Path) -> Channels:
    """The channels of a file; ConfigurationError lists all that is wrong, secrets that are not there too."""
    document = open_document(path)
    words = checked(document, ChannelFileWords)
    faults: list[str] = []
    secrets: dict[str, tuple[str, str]] = {}
    ids = [one.id for one in words.channels]
    if words.public is not None:
        _address_fault(document, ("public",), words.public, faults)
    for i, one in enumerate(words.channels):
        if one.id in ids[:i]:
            faults.append(document.fault(("channels", i, "id"), "is used twice; give each channel its own id"))
        if isinstance(one, DingTalkWords | WebhookWords):
            _address_fault(document, ("channels", i, "address"), one.address, faults)
        secrets[one.id] = _secrets(document, i, one, path.parent, faults)
    if faults:
        raise ConfigurationError(faults)
    return Channels(words, secrets, path.parent)


def _address_fault(document: Document, way: tuple[str | int, ...], address: str, faults: list[str]) -> None:
    try:
        origin_of(address)
    except ValueError as error:
        faults.append(document.fault(way, str(error)))


def _secrets(document: Document, i: int, one: ChannelWords, folder: Path, faults: list[str]) -> tuple[str, str]:
    """Token and secret of a channel; empty where it has none."""
    found = []
    for key in ("token", "secret", "password"):
        words = getattr(one, key, None)
        if isinstance(words, SecretWords):
            try:
                found.append((key, _secret(words, folder)))
            except (OSError, ValueError) as error:
                faults.append(document.fault(("channels", i, key), str(error)))
    told = dict(found)
    return told.get("token", ""), told.get("secret", told.get("password", ""))


def _secret(words: SecretWords, folder: Path) -> str:
    if words.env is not None:
        value = os.environ.get(words.env, "").strip()
        if not value:
            raise ValueError(f"the environment has no {words.env}; set it, or name a file")
        return value
    file = folder / (words.file or "")
    try:
        value = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"{words.file} cannot be read: {error.strerror}") from error
    if file.stat().st_mode & 0o007:
        raise ValueError(f"{words.file} can be read by everybody; chmod 600 it")
    if not value:
        raise ValueError(f"{words.file} is empty")
    return value


@asynccontextmanager
async def open_channels(channels: Channels) -> AsyncIterator[dict[str, Notifier]]:
    """The channels by id, in the order of the file, for as long as the context."""
    words = channels.words
    addresses = [one.address for one in words.channels if isinstance(one, DingTalkWords | WebhookWords)]
    destinations = Destinations.of(addresses, words.networks, words.proxy)
    ca_file = None if words.ca_file is None else channels.folder / words.ca_file
    async with Outgoing(destinations, timeout_s=10.0, ca_file=ca_file) as outgoing:
        yield {one.id: _opened(one, channels, outgoing) for one in words.channels}


def _opened(one: ChannelWords, channels: Channels, outgoing: Outgoing) -> Notifier:
    token, secret = channels.secrets.get(one.id, ("", ""))
    match one:
        case DingTalkWords():
            return DingTalkRobot(one.id, outgoing, one.address, token, secret or None, one.personal)
        case WebhookWords():
            return Webhook(one.id, outgoing, one.address, secret, one.personal)
        case SmtpWords():
            ca_file = None if one.ca_file is None else channels.folder / one.ca_file
            return SmtpServer(one.id, one.host, one.port, one.sender, one.tls, one.user, secret or None, ca_file)
        case LogWords():
            return LogChannel(one.id)
