"""Who is enrolled: the index of a folder of identities, which the command writes and the gateway looks at."""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapters.secret_files import read_secret, write_secret
from energy.errors import EnergyError

_FILE = "index.json"


class Certificate(msgspec.Struct):
    """That was made: its serial in hexadecimal digits, and until when it holds [ms since the epoch]."""

    serial: str
    until: int


class Enrolled(msgspec.Struct, omit_defaults=True):
    """Somebody who may come, or might; times in ms since the epoch.

    bus : the address of the broker that he was given; empty where he is a process of this machine.
    certificates : all that were made, the newest last. hash : of the password, as Mosquitto keeps it. topics, hears :
    to which he may publish, and subscribe, besides his own. own : a process of this machine, whose folder is made by
    itself.
    """

    name: str
    at: int
    by: str = ""
    why: str = ""
    bus: str = ""
    certificates: list[Certificate] = []
    hash: str | None = None
    topics: list[str] = []
    hears: list[str] = []
    own: bool = False
    revoked_at: int | None = None
    revoked_by: str = ""

    @property
    def until(self) -> int | None:
        """When the last certificate ends; None where there is none."""
        return max((one.until for one in self.certificates), default=None)


class Index(msgspec.Struct, omit_defaults=True):
    """Everybody by name, the revoked serials with when; where edges find the broker, and under which names.

    broker_until, authority_until : when the certificate of the broker, and what vouches for all, end.
    """

    edges: dict[str, Enrolled] = {}
    revoked: dict[str, int] = {}
    hosts: list[str] = []
    bus: str | None = None
    broker_until: int | None = None
    authority_until: int | None = None


def read_index(folder: Path) -> Index:
    """What a folder of identities says; empty where there is none yet, EnergyError where it cannot be read."""
    file = folder / _FILE
    if not file.exists():
        return Index()
    try:
        return msgspec.json.decode(read_secret(file), type=Index)
    except msgspec.DecodeError as error:
        raise EnergyError(f"{file}: cannot be understood: {error}; put it back from a backup") from error


def write_index(folder: Path, index: Index) -> None:
    write_secret(folder / _FILE, msgspec.json.format(msgspec.json.encode(index)))
