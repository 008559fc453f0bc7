"""The duty roster in the records: a whole file at a time; phone numbers and addresses are masked where it is logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from adapters.duty_files import roster_of
from energy.documents import Document
from energy.duty import Flaw, Roster
from energy.errors import EnergyError
from energy.ports import Clock
from energy.sites import Site
from gateway.duty.tables import DutyRosterRow
from gateway.records.base import table_of
from gateway.records.changes import Change
from gateway.records.database import Records
from gateway.records.documents import Documents, KeptDocument

NAME = Path("roster")
_AHEAD = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class KeptRoster:
    """The roster that holds, and who entered it."""

    kept: KeptDocument
    roster: Roster


class Duty:
    """The roster that holds, and every one that ever was. `channels` are those that there are."""

    def __init__(
        self, records: Records, clock: Clock, site: Callable[[], Site], channels: Sequence[str] | None = None
    ) -> None:
        self._documents = Documents(records, clock, table_of(DutyRosterRow), "duty_roster", _told)
        self._clock, self._site, self._channels = clock, site, channels
        self._made: tuple[KeptRoster, ZoneInfo] | None = None

    async def roster(self) -> KeptRoster:
        """The one that holds; read anew where it is another, or the site lies in another zone."""
        kept, zone = await self._documents.newest(), self._site().zone_info
        if self._made is None or self._made[0].kept.number != kept.number or self._made[1] != zone:
            made = roster_of(Document(NAME, kept.document), zone) if kept.number else Roster()
            self._made = KeptRoster(kept, made), zone
        return self._made[0]

    def check(self, document: str) -> Roster:
        """The roster of a file; ConfigurationError with a line for each thing that is wrong with it."""
        return roster_of(Document(NAME, document), self._site().zone_info, self._channels)

    async def differences(self, document: str) -> list[Change]:
        self.check(document)
        return self._documents.differences((await self._documents.newest()).document, document)

    def flaws(self, roster: Roster) -> list[Flaw]:
        """Gaps, overlaps and double posts from now on, as far as there are shifts, a month at most."""
        now = self._clock.now()
        last = max((shift.end for shift in roster.shifts), default=now)
        return roster.flaws(now, min(max(last, now + timedelta(days=7)), now + _AHEAD))

    async def save(self, document: str, who: str, why: str = "") -> list[Change]:
        """Let a roster hold from now on, all of it; ConfigurationError where anything is wrong with it."""
        self.check(document)
        return await self._documents.save(document, who, why)

    async def swap(self, day: date, of: str, by: str, who: str, why: str = "") -> list[Change]:
        """Let one stand in for another over the shift that begins on a day."""
        kept = await self._documents.newest()
        given: dict[str, Any] = yaml.safe_load(kept.document) if kept.document else {}
        if not given:
            raise EnergyError("there is no roster yet; bring one in first")
        given.setdefault("swaps", []).append({"day": day, "of": of, "by": by})
        return await self.save(yaml.safe_dump(given, allow_unicode=True, sort_keys=False, width=120), who, why)


def masked(address: str) -> str:
    """An address that is not to be read by everybody: its middle is hidden.

    >>> masked("13812345678"), masked("wang@example.org")
    ('138****5678', 'w***@example.org')
    """
    name, at, host = address.partition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return f"{address[:3]}****{address[-4:]}" if len(address) > 8 else f"{address[:1]}***"


def _told(document: str) -> Mapping[str, Mapping[str, str]]:
    """Persons by id, with masked addresses, and the shifts as a whole."""
    given = yaml.safe_load(document) or {}
    found = {str(p["id"]): _person(p) for p in given.get("persons") or []}
    for key in ("shifts", "rota", "swaps", "otherwise"):
        if given.get(key):
            found[key] = {str(i): yaml.safe_dump(v, allow_unicode=True).strip() for i, v in enumerate(given[key])}
    return found


def _person(words: Mapping[str, Any]) -> dict[str, str]:
    reach = "; ".join(f"{r['channel']} {masked(str(r['address']))}" for r in words.get("reach") or [])
    return {**{k: str(v) for k, v in words.items() if k != "reach"}, "reach": reach}
