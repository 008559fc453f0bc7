"""Each edge is handed its part of the records as a signed site file, a new version whenever it has become another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from sqlalchemy import delete, insert, select

from adapters.site_signing import SigningKey
from adapters.site_versions import LARGEST, SiteVersion, plain_text, profile_name, signed, version_name
from adapters.wire import SITE, topic
from energy.errors import BusError, EnergyError, StoreError
from energy.extracts import edges_of, extract
from energy.ports import Bus, Clock
from energy.readings import to_ms
from energy.sites import Site
from gateway.api.words import OngoingProblem, TextWords
from gateway.edges.service import Edges
from gateway.records.database import Records
from gateway.sites.files import is_own
from gateway.sites.tables import EdgeSiteRow

log = structlog.get_logger()

_TABLE = EdgeSiteRow.__table__
_LOOK_EVERY_S = 0.5
# Every so many looks, files of profiles are looked at, too.
_FILES_EVERY = 4
# Of a number of seconds; one of more digits is nobody's.
_DIGITS = 16

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why an edge is handed nothing new, and since when."""

    since_ms: int
    text: TextWords


class Handing:
    """Hands site files to edges.

    site : the site as it is. default : the edge of the lines that name none.
    """

    def __init__(
        self, records: Records, site: Callable[[], Site], edges: Edges, key: SigningKey, clock: Clock, default: str
    ) -> None:
        self._records, self._site, self._edges, self._clock = records, site, edges, clock
        self._key, self._default = key, default
        self._seen: Site | None = None
        self._texts: Texts = {}
        self._parts: dict[str, tuple[Site, Texts]] = {}
        self._versions: dict[str, SiteVersion] = {}
        self._unsent: set[str] = set()
        self._troubles: dict[str, _Trouble] = {}
        self._failing = False

    def connected(self) -> None:
        """The broker may have lost what it kept: everything is handed over again."""
        self._unsent = set(self._versions)

    async def run(self, bus: Bus) -> None:
        """Look for ever what has become another."""
        looks = 0
        while True:
            try:
                await self.look(with_files=looks % _FILES_EVERY == 0)
                self._tell(None)
            except StoreError as error:
                self._tell(error)
            await self.send(bus)
            looks += 1
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self, *, with_files: bool = True) -> None:
        """Make the versions that are wanted by now."""
        site, texts = self._site(), self._texts
        if site is not self._seen or (with_files and any(is_own(m.profile) for m in site.meters)):
            texts = await asyncio.to_thread(_own_texts, site)
        if site is not self._seen or texts != self._texts:
            await self._make(site, texts)
            self._seen, self._texts = site, texts
        for edge in self._outrun():
            await self._number(edge, self._versions[edge], at_least=0)

    def problems(self) -> list[OngoingProblem]:
        """Edges that are handed nothing new, since it cannot be made."""
        return [OngoingProblem("edge.site_unmade", edge, t.since_ms, t.text) for edge, t in self._troubles.items()]

    async def _make(self, site: Site, texts: Texts) -> None:
        async with self._records.reading() as connection:
            rows = (await connection.execute(select(_TABLE).where(_TABLE.c.site == site.id))).all()
        kept = {row.edge: row for row in rows}
        for edge in sorted({*edges_of(site, self._default), *kept}):
            part = extract(site, edge, self._default)
            own = {m.profile: texts.get(m.profile, "") for m in part.meters if m.profile and is_own(m.profile)}
            if self._parts.get(edge) == (part, own):
                continue
            made = await asyncio.to_thread(_version, edge, part, own)
            if isinstance(made, TextWords):
                self._troubles[edge] = _Trouble(to_ms(self._clock.now()), made)
                continue
            self._troubles.pop(edge, None)
            row = kept.get(edge)
            if row is not None and row.digest == made.digest:
                self._hand(_numbered(made, row.number, row.made_at_ms))
            else:
                await self._number(edge, made, at_least=row.number + 1 if row is not None else 1)
            self._parts[edge] = part, own

    async def _number(self, edge: str, made: SiteVersion, *, at_least: int) -> None:
        """Give it the next number: seconds since the epoch, so that records which were restored count on, too."""
        now_ms = to_ms(self._clock.now())
        version = _numbered(made, max(at_least, now_ms // 1000), now_ms)
        row = {"site": self._site().id, "edge": edge, "number": version.number, "digest": version.digest}
        async with self._records.writing() as connection:
            await connection.execute(delete(EdgeSiteRow).where(_TABLE.c.site == row["site"], _TABLE.c.edge == edge))
            await connection.execute(insert(EdgeSiteRow).values(made_at_ms=now_ms, **row))
        log.info("site.made", edge=edge, version=version.name)
        self._hand(version)

    def _hand(self, version: SiteVersion) -> None:
        self._versions[version.edge] = version
        self._edges.handed = {edge: made.name for edge, made in self._versions.items()}
        self._unsent.add(version.edge)

    def _outrun(self) -> list[str]:
        """Edges that run on a later version than ours, and another one: the records were restored from before it."""
        running, now_s = self._edges.sites(), to_ms(self._clock.now()) // 1000
        found = []
        for edge, version in self._versions.items():
            number, _, _ = running.get(edge, "").partition("-")
            is_later = number.isdecimal() and len(number) < _DIGITS and version.number < int(number) < now_s
            if is_later and running[edge] != version_name(int(number), version.digest):
                found.append(edge)
        return found

    async def send(self, bus: Bus) -> None:
        for edge in sorted(self._unsent):
            try:
                await bus.publish(topic(edge, SITE), signed(self._versions[edge], self._key), retain=True)
            except BusError as error:
                log.debug("site.unsent", edge=edge, cause=str(error))
                return
            self._unsent.discard(edge)

    def _tell(self, error: EnergyError | None) -> None:
        if error is not None and not self._failing:
            log.error("site.unmade", cause=str(error))
        self._failing = error is not None


def _numbered(version: SiteVersion, number: int, made_at: int) -> SiteVersion:
    return SiteVersion(version.edge, number, made_at, version.site, version.profiles)


def _own_texts(site: Site) -> Texts:
    """The texts of the profiles of one's own that meters on lines name; those that cannot be read are left out."""
    found = {}
    for file in {m.profile for m in site.meters if m.line is not None and m.profile is not None and is_own(m.profile)}:
        try:
            found[file] = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return found


def _version(edge: str, part: Site, own: Texts) -> SiteVersion | TextWords:
    """The file of an edge, without a number yet; a sentence where there can be none."""
    unread = [file for file, text in own.items() if not text]
    if unread:
        names = ", ".join(sorted(unread))
        zh = f"采集端 {edge} 的站点文件无法生成：无法读取表型文件 {names}"
        return TextWords(zh, f"Edge {edge} is handed no new site file: these profiles cannot be read: {names}")
    called = {file: profile_name(file, text) for file, text in own.items()}
    meters = (replace(m, profile=called.get(m.profile or "", m.profile)) for m in part.meters)
    text, profiles = plain_text(replace(part, meters=tuple(meters))), {called[file]: own[file] for file in own}
    size = len(text.encode()) + sum(len(profile.encode()) for profile in profiles.values())
    if size > LARGEST:
        zh = f"采集端 {edge} 的站点文件有 {size} 字节，超过一条消息的上限 {LARGEST}：把线路分给多个采集端"
        en = f"Edge {edge} is handed no new site file: its {size} bytes are more than a message takes, {LARGEST}; "
        return TextWords(zh, f"{en}give some of its lines to another edge")
    return SiteVersion(edge, 0, 0, text, profiles)
