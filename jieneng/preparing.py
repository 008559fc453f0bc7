"""What a stack of processes needs before its first start: passwords in files, and who may come to the broker."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from adapters.edge_identities import Identities
from adapters.identity_index import Enrolled
from adapters.secret_files import own_folder, read_secret, write_secret
from energy.errors import EnergyError
from jieneng.enrolment import bus_for, identities
from jieneng.settings import Settings

_RENEWED_BEFORE = timedelta(days=60)
_WHO = "jieneng prepare"
# 256 bits.
_BYTES = 32


def prepare(settings: Settings, passwords: Sequence[Path], edges: Sequence[str], into: Path) -> Iterator[str]:
    """Make what is missing and leave what is there; tell each of it. May be killed at any time and started again.

    passwords : files to hold a password each, for their owner alone. edges : names of those that get a folder
    `into`/NAME with which they come to the broker of the settings; renewed when less than 60 days are left.
    """
    for file in passwords:
        yield f"{file}: {_password(file)}"
    known = identities(settings)
    broker = urlsplit(settings.bus)
    if broker.scheme == "mqtts" and broker.hostname:
        known.ensure_own([], [broker.hostname])
        yield f"{known.folder}: holds for the gateway and the broker"
    for name in edges:
        yield f"{into / name}: {_edge(settings, known, name, into)}"


def _password(file: Path) -> str:
    if file.exists():
        if not read_secret(file).strip():
            raise EnergyError(f"{file}: is empty; remove it, and a new password is made")
        return "is there"
    write_secret(file, secrets.token_urlsafe(_BYTES).encode())
    return "made"


def _edge(settings: Settings, known: Identities, name: str, into: Path) -> str:
    found, folder = known.index.edges.get(name), into / name
    if found is not None and found.revoked_at is not None:
        raise EnergyError(f"edge {name} was revoked; give the edge of this stack another name")
    if found is not None and folder.exists() and not _ends(found):
        return "is there"
    # What is not whole has never been used: the folder gets its name at the end.
    draft = into / f".{name}.draft"
    own_folder(into)
    shutil.rmtree(draft, ignore_errors=True)
    if found is None:
        known.enroll(name, draft, bus_for(settings, known, None, password=False), by=_WHO, why="first start")
    else:
        known.renew(name, draft, by=_WHO)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    return "made" if found is None else "renewed"


def _ends(one: Enrolled) -> bool:
    left = (one.until or 0) / 1000 - datetime.now(UTC).timestamp()
    return left < _RENEWED_BEFORE.total_seconds()
