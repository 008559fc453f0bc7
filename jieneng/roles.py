"""The roles of a gateway process, what it is called, and what several processes need."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Sequence

from energy.errors import ConfigurationError
from energy.names import ID_PATTERN
from gateway.process.role_names import ROLES, RoleName


def roles_of(text: str) -> tuple[RoleName, ...]:
    """Roles as they are written, such as `ingest,jobs`; ValueError where one is none.

    >>> roles_of("api, ingest")
    ('ingest', 'api')
    """
    named = [word.strip() for word in text.split(",") if word.strip()]
    strange = [word for word in named if word not in ROLES]
    if strange or not named:
        what = f"{', '.join(strange)} is no role" if strange else "no role is named"
        raise ValueError(f"{what}; roles are {', '.join(ROLES)}, several with commas between: ingest,jobs")
    return tuple(role for role in ROLES if role in named)


def process_name(given: str | None, roles: Sequence[RoleName]) -> str:
    """What a process is called: as it was given, else after its machine, with its roles where others have more.

    ConfigurationError where it cannot stand in a topic.
    """
    if given is None:
        host = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname()).strip("-._")[:40] or "gateway"
        return host if set(roles) == set(ROLES) else "-".join((host, *roles))
    if not re.fullmatch(ID_PATTERN, given):
        raise ConfigurationError(
            [
                f"--name {given}: the name of a process may hold letters, digits, '-', '_' and '.', 64 at most, and "
                "begins with a letter or digit"
            ]
        )
    return given


def must_fit(roles: Collection[RoleName], bus: str, store: str, ledger: str | None, records: str) -> None:
    """ConfigurationError with everything that several processes cannot share; a process with all roles is alone."""
    if set(roles) == set(ROLES):
        return
    told = f"--roles {','.join(roles)}: a process with some of the roles is one of several, and "
    faults = list(_unshared(bus, store, ledger, records))
    if faults:
        raise ConfigurationError([told + fault for fault in faults])


def must_be_all(roles: Collection[RoleName]) -> None:
    """ConfigurationError where a command that runs everything is told to run a part."""
    if set(roles) != set(ROLES):
        raise ConfigurationError(
            [
                f"roles {','.join(roles)}: this command runs everything on this machine; leave `roles` out, or start "
                "`jieneng gateway` and `jieneng edge` by themselves"
            ]
        )


def _unshared(bus: str, store: str, ledger: str | None, records: str) -> Iterator[str]:
    if bus == "embedded":
        yield (
            "the embedded broker shares nothing out among several: name an MQTT 5 broker with shared subscriptions, "
            "such as Mosquitto, by --bus mqtts://HOST"
        )
    if not store.startswith(("victoria+", "influx+")):
        yield (
            f"{store.partition(':')[0]}: is one process's alone: name a server of series by --store "
            "victoria+http://HOST:8428 or influx+http://HOST:8086/ORG/BUCKET"
        )
    if ledger is None:
        yield "the ledger must be in a database that all reach: name it by --ledger postgresql://USER@HOST/DATABASE"
    if not records.startswith("postgresql:"):
        yield "the records must be in a database that all reach: name it by --records postgresql://USER@HOST/DATABASE"
