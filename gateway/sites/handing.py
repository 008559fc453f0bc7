"""Each edge is handed its part of the records as a signed site file, a new version whenever it has become another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from sqlalchemy import delete, insert, select

from adapters.site_signing import SigningKey
from adapters.site_versions import LARGEST, SiteVersion, plain_text, profile_name, signed, version_name
from adapters.wire import SITE, topic
from energy.errors import BusError, EnergyError, StoreError
from energy.extracts import bare, extracts
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
_FOLLOW_EVERY_S = 2.0
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
        self._files: frozenset[str] = frozenset()
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
        """Look for ever what has become another. It begins with what the records say, whoever handed before."""
        looks = 0
        self._seen, self._parts, self._versions, self._unsent = None, {}, {}, set()
        try:
            while True:
                try:
                    await self.look(with_files=looks % _FILES_EVERY == 0)
                    self._tell(None)
                except StoreError as error:
                    self._tell(error)
                await self.send(bus)
                looks += 1
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self._troubles = {}

    async def look(self, *, with_files: bool = True) -> None:
        """Make the versions that are wanted by now."""
        site, texts = self._site(), self._texts
        if site is not self._seen:
            self._files = await asyncio.to_thread(_own_files, site)
        if self._files and (site is not self._seen or with_files):
            texts = await asyncio.to_thread(_read, self._files)
        if site is not self._seen or texts != self._texts:
            await self._make(site, texts)
            self._seen, self._texts = site, texts
        await self._number([(self._versions[edge], 0) for edge in self._outrun()])

    def problems(self) -> list[OngoingProblem]:
        """Edges that are handed nothing new, since it cannot be made."""
        return [OngoingProblem("edge.site_unmade", edge, t.since_ms, t.text) for edge, t in self._troubles.items()]

    async def _make(self, site: Site, texts: Texts) -> None:
        async with self._records.reading() as connection:
            rows = (await connection.execute(select(_TABLE).where(_TABLE.c.site == site.id))).all()
        kept = {row.edge: row for row in rows}
        parts = await asyncio.to_thread(extracts, site, self._default)
        other: list[tuple[SiteVersion, int]] = []
        seen: dict[str, tuple[Site, Texts]] = {}
        for edge in sorted({*parts, *kept}):
            part = parts.get(edge, bare(site))
            own = {m.profile: texts.get(m.profile, "") for m in part.meters if m.profile and is_own(m.profile)}
            if self._parts.get(edge) == (part, own):
                self._troubles.pop(edge, None)
                continue
            made = _version(edge, part, own)
            if isinstance(made, TextWords):
                known = self._troubles.get(edge)
                self._troubles[edge] = _Trouble(known.since_ms if known else to_ms(self._clock.now()), made)
                continue
            row = kept.get(edge)
            if row is not None and row.digest == made.digest:
                self._hand(_numbered(made, row.number, row.made_at_ms))
            else:
                other.append((made, row.number + 1 if row is not None else 1))
            self._troubles.pop(edge, None)
            seen[edge] = part, own
            await asyncio.sleep(0)
        await self._number(other)
        self._parts |= seen

    async def _number(self, versions: Sequence[tuple[SiteVersion, int]]) -> None:
        """Give each its next number: the second it is, so that records that were restored count on, too; or the least
        that it may have, if that is more."""
        if not versions:
            return
        now_ms, site = to_ms(self._clock.now()), self._site().id
        numbered = [_numbered(version, max(least, now_ms // 1000), now_ms) for version, least in versions]
        rows = [{"site": site, "edge": v.edge, "number": v.number, "digest": v.digest} for v in numbered]
        edges = [version.edge for version in numbered]
        async with self._records.writing() as connection:
            await connection.execute(delete(EdgeSiteRow).where(_TABLE.c.site == site, _TABLE.c.edge.in_(edges)))
            await connection.execute(insert(EdgeSiteRow), [{**row, "made_at_ms": now_ms} for row in rows])
        for version in numbered:
            log.info("site.made", edge=version.edge, version=version.name)
            self._hand(version)

    def _hand(self, version: SiteVersion) -> None:
        self._versions[version.edge] = version
        self._edges.handed[version.edge] = version.name
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


async def follow_handed(records: Records, site: Callable[[], Site], edges: Edges) -> None:
    """Of several processes: know for ever what another one hands over, as the records have it."""
    while True:
        try:
            async with records.reading() as connection:
                rows = (await connection.execute(select(_TABLE).where(_TABLE.c.site == site().id))).all()
            edges.handed.update({row.edge: version_name(row.number, row.digest) for row in rows})
        except StoreError as error:
            log.debug("site.unfollowed", cause=str(error))
        await asyncio.sleep(_FOLLOW_EVERY_S)


def _numbered(version: SiteVersion, number: int, made_at: int) -> SiteVersion:
    return SiteVersion(version.edge, number, made_at, version.site, version.profiles)


def _own_files(site: Site) -> frozenset[str]:
    """The profiles of one's own that meters on lines name."""
    named = {meter.profile for meter in site.meters if meter.line is not None and meter.profile is not None}
    return frozenset(profile for profile in named if is_own(profile))


def _read(files: frozenset[str]) -> Texts:
    """Their texts; those that cannot be read are left out."""
    found = {}
    for file in files:
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
    meters = tuple(replace(m, profile=called[m.profile]) if m.profile in called else m for m in part.meters)
    text, profiles = plain_text(replace(part, meters=meters)), {called[file]: own[file] for file in own}
    size = len(text.encode()) + sum(len(profile.encode()) for profile in profiles.values())
    if size > LARGEST:
        zh = f"采集端 {edge} 的站点文件有 {size} 字节，超过一条消息的上限 {LARGEST}：把线路分给多个采集端"
        en = f"Edge {edge} is handed no new site file: its {size} bytes are more than a message takes, {LARGEST}; "
        return TextWords(zh, f"{en}give some of its lines to another edge")
    return SiteVersion(edge, 0, 0, text, profiles)
