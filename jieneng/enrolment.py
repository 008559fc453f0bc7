"""Enrolling edges from the command line: where the folders are, whom it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import structlog

from adapters.broker_nats import reload
from adapters.edge_identities import Identities
from energy.errors import EnergyError
from gateway.audit.chain import Action
from jieneng.records import kept_audit
from jieneng.settings import Settings

log = structlog.get_logger()


def identities(settings: Settings) -> Identities:
    """Who may come to the broker of this data folder."""
    return Identities(settings.identities, lambda: datetime.now(UTC))


def bus_for(settings: Settings, known: Identities, broker: str | None, *, password: bool) -> str:
    """The address that a new edge is given; EnergyError where nothing says it, or it would not be let in there."""
    embedded = settings.bus == "embedded"
    if broker is not None:
        bus = address_of(broker)
    elif embedded and password and settings.broker_listen is None:
        return settings.bus_address
    elif password:
        raise EnergyError("where does the broker take passwords? Say it by --broker HOST:PORT, such as HOST:8884")
    else:
        bus = known.index.bus or (settings.bus.partition("?")[0] if settings.bus.startswith("mqtts:") else "")
    if not bus:
        raise EnergyError(
            "where will the edge find the broker? Say it once by --broker HOST:PORT; for a program on this machine "
            "--password is enough"
        )
    if embedded and password:
        raise EnergyError(
            "the embedded broker asks for certificates beyond this machine: leave --password away; or name the broker "
            "that this gateway uses by --bus"
        )
    return bus


def address_of(broker: str) -> str:
    """HOST or HOST:PORT as the address of a broker with TLS."""
    try:
        parts = urlsplit(f"mqtts://{broker}")
        host, port = parts.hostname, parts.port or 8883
    except ValueError as error:
        raise EnergyError(f"--broker {broker}: {error}") from error
    if not host or parts.path or parts.query or parts.username:
        raise EnergyError(f"--broker {broker}: must be of the form HOST or HOST:PORT, such as broker.example:8883")
    return f"mqtts://{f'[{host}]' if ':' in host else host}:{port}"


def told_broker(settings: Settings) -> str:
    """Let the broker know what was changed; in words whether it does, or what is to be done."""
    if reload(settings.data / "broker"):
        return "the embedded broker follows already"
    files = settings.identities / "mosquitto"
    return f"the embedded broker follows when it starts; Mosquitto when it has the files of {files} and is reloaded"


def told_audit(settings: Settings, name: str, detail: Mapping[str, Any], who: str) -> str:
    """Put it into the audit log, where there are records; in words where that failed, though it was done."""
    if not settings.has_records:
        return ""

    async def record() -> None:
        async with kept_audit(settings) as audit:
            await audit.record(Action.CHANGE, f"edge/{name}", account=who, detail=detail)

    try:
        asyncio.run(record())
    except EnergyError as error:
        return f"it is done, but does not stand in the audit log: {error}"
    return ""
