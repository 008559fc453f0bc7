"""A site as a file over the API: read and compared with the records, applied as it was compared, and written."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Literal, TypeVar

import msgspec

from adapters.site_book_export import write_book
from adapters.site_book_files import read_book
from adapters.site_export import site_text
from adapters.site_files import read_site
from collectors.lines.address import Address, by_edge, clashes, parse_address
from collectors.makes import Make, load_make, placing_faults, readable
from energy.errors import ConfigurationError, EnergyError, LineError
from energy.sites import Meter, Site
from gateway.api.uploads import Upload
from gateway.records.changes import Change
from gateway.sites.records import MovedOn, SiteRecords, difference
from gateway.sites.rows import rows_of

T = TypeVar("T")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
YAML = "application/yaml"
# What is read is held in memory whole: less is taken from a stranger's hand than from the command line.
_MOST_UNPACKED = 256 << 20
# What was read is kept so long for the pages of its preview, and for being applied.
_KEPT_S = 600.0
_OWN = (".yaml", ".yml")
_AT = re.compile(r"(?P<sheet>\w+)!(?P<column>[A-Z]*)(?P<row>\d+): (?P<text>.*)", re.DOTALL)
_LINE = re.compile(r"(?P<row>\d+): (?P<text>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: by sheet, row and column of a workbook, by line of a site file."""

    text: str
    sheet: str = ""
    row: int | None = None
    column: str = ""


class Faulty(ConfigurationError):
    """A file that is no site."""

    def __init__(self, found: Sequence[Fault]) -> None:
        super().__init__([f"{f.sheet}!{f.column}{f.row}: {f.text}" if f.row else f.text for f in found])
        self.found = tuple(found)


@dataclass(frozen=True, slots=True)
class Compared:
    """How a file differs from the records; `expected` names both as they were."""

    changes: Sequence[Change]
    expected: str


class SiteFiles:
    """The site of the records, whole, as files. One file is looked at at a time, beside the loop."""

    def __init__(self, sites: SiteRecords, site_id: str) -> None:
        self._sites, self._site_id = sites, site_id
        self._one_by_one = asyncio.Lock()
        self._read: tuple[bytes, Site, Site] | None = None

    async def present(self) -> Site:
        """The site as the records have it."""
        return await self._sites.site(self._site_id)

    async def compared(self, upload: Upload) -> Compared:
        """What applying a file would change; Faulty where it is no site."""
        async with self._one_by_one:
            return await self._compared(upload, await self.present())

    async def apply(self, upload: Upload, expected: str, who: str, why: str, name: str) -> Compared:
        """Change the records as it was compared, all or none; MovedOn where file or records are others meanwhile."""
        async with self._one_by_one:
            compared = await self._compared(upload, await self.present())
            if compared.expected != expected:
                raise MovedOn("the records, or the file, are others than those that were compared; compare again")
            if compared.changes:
                source = {"file": name, "sha256": upload.digest.hex(), "bytes": upload.size}
                await self._sites.apply(self._site_id, compared.changes, who, why, {**source, **counted(compared)})
            self._read = None
        return compared

    async def _compared(self, upload: Upload, present: Site) -> Compared:
        wanted = await self._wanted(upload, present)
        return await asyncio.to_thread(_compare, present, wanted, upload.digest)

    async def _wanted(self, upload: Upload, present: Site) -> Site:
        """The site of a file. What a profile of one's own means follows from the records, too."""
        if self._read is not None and self._read[0] == upload.digest and self._read[1] == present:
            return self._read[2]
        self._read = None
        wanted = await asyncio.to_thread(read_upload, upload, present)
        self._read = read = upload.digest, present, wanted
        asyncio.get_running_loop().call_later(_KEPT_S, self._forget, read)
        return wanted

    def _forget(self, read: tuple[bytes, Site, Site]) -> None:
        if self._read is read:
            self._read = None


def _compare(present: Site, wanted: Site, digest: bytes) -> Compared:
    state = hashlib.sha256(msgspec.json.encode(rows_of(present), order="deterministic"))
    state.update(digest)
    return Compared(difference(present, wanted), state.hexdigest())


# -- what a change is ------------------------------------------------------------------------------------------------

StateWord = Literal["added", "changed", "ended", "removed"]
_ENDS = ("valid_to", "removed_on")


def state_of(change: Change) -> StateWord:
    """Whether a record is new, other, gone, or from some day on no longer holds."""
    if change.before is None or change.after is None:
        return "added" if change.before is None else "removed"
    ended = any(field in _ENDS and before is None for field, before, _ in change.fields)
    return "ended" if ended else "changed"


def counted(compared: Compared) -> dict[str, int]:
    """How many changes there are of each state."""
    states = [state_of(change) for change in compared.changes]
    return {state: states.count(state) for state in ("added", "changed", "ended", "removed")}


# -- reading ---------------------------------------------------------------------------------------------------------


def read_upload(upload: Upload, present: Site) -> Site:
    """The site of a file that was sent; Faulty tells all that is wrong, without a word of where it lies here."""
    path = upload.path.with_suffix(".xlsx" if upload.media_type == XLSX else ".yaml")
    if not path.exists():
        upload.path.rename(path)
    try:
        if upload.media_type == XLSX:
            site = read_book(path, most_unpacked=_MOST_UNPACKED)
        else:
            site, _ = read_site(path)
    except ConfigurationError as error:
        raise Faulty([_fault(text, path) for text in error.faults]) from None
    faults = [Fault(f"the site is {site.id!r}, here it is {present.id!r}", "site")] if site.id != present.id else []
    site, found = _installed(site, present)
    if faults := [*faults, *found]:
        raise Faulty(faults)
    return site


def _fault(text: str, path: Path) -> Fault:
    """A fault as it is told to the command line, without the name of the file."""
    text = text.removeprefix(f"{path}:")
    at = _AT.match(text.strip()) or _LINE.match(text.strip())
    if at is None:
        return Fault(text.strip().replace(str(path), "the file"))
    found = {"sheet": "", "column": "", **at.groupdict()}
    return Fault(found["text"], found["sheet"], int(found["row"]), found["column"])


def _installed(site: Site, present: Site) -> tuple[Site, list[Fault]]:
    """The site with what its meters can be read of, and what lines and profiles do not take."""
    addresses: dict[str, Address] = {}
    faults = list(_lines(site, addresses))
    own = {m.id: m.profile for m in present.meters if is_own(m.profile)}
    profiles: dict[str, Make] = {}
    meters = []
    for meter in site.meters:
        try:
            meters.append(_metered(meter, own.get(meter.id), profiles, addresses.get(meter.line or "")))
        except EnergyError as error:
            faults.append(Fault(f"meter {meter.id!r}: {error}", "meters"))
    return replace(site, meters=tuple(meters)), faults


def _lines(site: Site, addresses: dict[str, Address]) -> Iterator[Fault]:
    """What is wrong with the lines; those that are right are added to `addresses`."""
    for line in site.lines:
        try:
            addresses[line.id] = parse_address(line.address)
        except LineError as error:
            yield Fault(f"line {line.id!r}: {error}", "lines")
    for own in by_edge(site.lines, addresses):
        for line_id, text in clashes(own):
            yield Fault(f"line {line_id!r}: {text}", "lines")


def is_own(profile: str | None) -> bool:
    """Whether it is a file rather than a shipped one, just as who opens it looks at it."""
    return profile is not None and PurePath(profile).suffix in _OWN


def _metered(meter: Meter, own: str | None, profiles: dict[str, Make], line: Address | None) -> Meter:
    name = meter.profile
    if name is None:
        if meter.line:
            raise EnergyError("a meter on a line needs a profile")
        return meter
    if is_own(name):
        # No file of this machine is opened because a file that was sent names it.
        if own is None or PurePath(own).name != name:
            raise EnergyError(f"profile {name!r} is a file of one's own; bring it in with `jieneng site import`")
        return replace(meter, profile=own)
    if name not in profiles:
        profiles[name] = load_make(name)
    profile = profiles[name]
    has = readable(profile, reversed_=meter.reversed)
    if profile.medium is not meter.medium:
        raise EnergyError(f"profile {name} is for {profile.medium}, but the meter measures {meter.medium}")
    wrong = [f"{key} {text}" for key, text in placing_faults(meter, profile, line)]
    if wrong:
        raise EnergyError("; ".join(wrong))
    if unknown := [quantity for quantity in meter.quantities if quantity not in has]:
        raise EnergyError(f"profile {name} has no register {', '.join(unknown)}; it has {', '.join(has)}")
    return replace(meter, quantities=meter.quantities or has)


# -- writing ---------------------------------------------------------------------------------------------------------


def book_of(site: Site | None) -> bytes:
    """A site as a workbook; without one the sheets alone, to be filled in."""
    with TemporaryDirectory(prefix="jieneng-") as folder:
        path = Path(folder) / "site.xlsx"
        write_book(site, path)
        return path.read_bytes()


def text_of(site: Site) -> bytes:
    """A site as a site file."""
    return site_text(site).encode()


def to_send(site: Site) -> Site:
    """A site as it may leave: where the profiles of one's own lie here is nobody's concern."""
    return replace(site, meters=tuple(_named(meter) for meter in site.meters))


def without_lines(site: Site) -> Site:
    """A site for who reads: how its meters are reached is left out."""
    meters = (replace(m, line=None, unit=1, address=None, sender=None) for m in to_send(site).meters)
    return replace(site, lines=(), meters=tuple(meters))


def _named(meter: Meter) -> Meter:
    if meter.profile is None or not is_own(meter.profile):
        return meter
    return replace(meter, profile=PurePath(meter.profile).name)


async def made(make: Callable[[], T]) -> T:
    """Made beside the loop, which others wait for."""
    return await asyncio.to_thread(make)
