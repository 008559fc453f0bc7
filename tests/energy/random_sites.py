"""Random sites that fit together."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from energy.official_codes import BUILDING, INSTITUTION_CLASSES, check_digit
from energy.organisations import Account, Basis, Fact, FactName, Membership, Organisation, Part, Share
from energy.quantities import QUANTITIES, Kind, Medium
from energy.sites import LineSettings, Meter, Place, RegisterSettings, Site, Text, VirtualPoint
from energy.validity import ALWAYS, Validity

IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=12)
CODES = WORDS.filter(bool)
NAMES = st.builds(Text, WORDS, WORDS)
MEDIA = st.sampled_from(Medium)
ABOVE_0 = st.floats(min_value=1e-6, max_value=1e6)
DECIMALS = st.decimals(min_value=0, max_value=10**12, places=6)
ALL = sorted(QUANTITIES)
COUNTERS = [name for name in ALL if QUANTITIES[name].kind is Kind.COUNTER]
BOUNDS = st.tuples(st.floats(-1e6, 0), st.floats(0.5, 1e6))
REGISTERS = st.builds(RegisterSettings, st.none() | ABOVE_0, st.none() | ABOVE_0, st.none() | ABOVE_0)


@st.composite
def validities(draw: st.DrawFn) -> Validity:
    start = draw(st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1)))
    days = draw(st.none() | st.integers(1, 9000))
    return Validity(start, (start or date(2000, 1, 1)) + timedelta(days) if days else None)


HIDDEN = st.none() | st.just(ALWAYS) | validities()


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """A site in which every reference leads somewhere."""
    places = [_place(draw, n, i, up) for n, (i, up) in enumerate(_tree(draw))]
    organisations = [_organisation(draw, n, i, up) for n, (i, up) in enumerate(_tree(draw))]
    of = {"place": _any_of(places), "organisation": _any_of(organisations)}
    lines = [LineSettings(i, draw(WORDS), draw(ABOVE_0), draw(st.none() | IDS)) for i in _ids(draw)]
    tariffs, capacities = st.none() | IDS, st.none() | ABOVE_0
    accounts = [
        Account(i, draw(MEDIA), draw(WORDS), draw(of["organisation"]), draw(tariffs), draw(capacities))
        for i in _ids(draw)
    ]
    ids = _ids(draw, 6)
    meters = [_meter(draw, i, unit, of, lines, accounts) for unit, i in enumerate(ids[::2])]
    return Site(
        draw(IDS),
        draw(NAMES),
        draw(st.sampled_from(["Asia/Shanghai", "Europe/Berlin"])),
        tuple(places),
        tuple(lines),
        tuple(meters),
        tuple(organisations),
        tuple(_fact(draw, o, name) for o in organisations for name in (FactName.AREA_M2, FactName.BEDS)),
        tuple(_share(draw, meter, organisations) for meter in meters if organisations),
        tuple(_virtual_point(draw, i, of) for i in ids[1::2]),
        tuple(accounts),
        tuple(_memberships(draw, organisations)),
    )


def _place(draw: st.DrawFn, n: int, name: str, parent: str | None) -> Place:
    kind = draw(st.sampled_from(["campus", "building", "floor", "zone"]) | CODES)
    code = f"330302A{n:03}" if kind == BUILDING and draw(st.booleans()) else None
    return Place(name, draw(NAMES), kind, parent, draw(validities()), draw(HIDDEN), code)


def _organisation(draw: st.DrawFn, n: int, name: str, parent: str | None) -> Organisation:
    kind = draw(st.sampled_from(["institution", "department", "office", "region"]))
    first = f"1233030200000000{n}"
    code = first + check_digit(first) if kind != "region" and draw(st.booleans()) else None
    kind_of = draw(st.none() | st.sampled_from(INSTITUTION_CLASSES))
    if parent is None and draw(st.booleans()):
        kind, code = "province", f"{33 + n}0000"
    return Organisation(name, draw(NAMES), kind, parent, kind_of, draw(validities()), draw(HIDDEN), code)


def _memberships(draw: st.DrawFn, organisations: list[Organisation]) -> list[Membership]:
    """The last one, which nobody stands below, below another tree for a time."""
    tops = [o.id for o in organisations[:-1] if o.parent is None]
    if not tops or organisations[-1].parent is not None or draw(st.booleans()):
        return []
    start = draw(st.dates(date(1990, 1, 1), date(2020, 1, 1)))
    moved = draw(st.sampled_from(tops))
    return [
        Membership(organisations[-1].id, tops[0], Validity(None, start)),
        Membership(organisations[-1].id, moved, Validity(start, draw(st.none() | st.just(date(2030, 1, 1))))),
    ]


def _ids(draw: st.DrawFn, most: int = 3) -> list[str]:
    return draw(st.lists(IDS, max_size=most, unique=True))


def _tree(draw: st.DrawFn) -> list[tuple[str, str | None]]:
    """Ids, each below one that comes before it, or below none."""
    ids = _ids(draw)
    return [(name, draw(st.none() | st.sampled_from(ids[:i])) if i else None) for i, name in enumerate(ids)]


def _any_of(things: list[Any]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from([thing.id for thing in things]) if things else st.none()


def _meter(
    draw: st.DrawFn,
    name: str,
    unit: int,
    of: dict[str, st.SearchStrategy[str | None]],
    lines: list[LineSettings],
    accounts: list[Account],
) -> Meter:
    medium, line = draw(MEDIA), draw(_any_of(lines))
    interval_s, quantities = draw(ABOVE_0), draw(st.lists(st.sampled_from(ALL), max_size=3))
    quicker = draw(st.sets(st.sampled_from(quantities))) if quantities else set()
    return Meter(
        name,
        draw(NAMES),
        medium,
        place=draw(of["place"]),
        profile=draw(st.none() | CODES),
        line=line,
        unit=1 if (address := draw(st.none() | st.just(f"{unit:012d}"))) else unit,
        address=address,
        interval_s=interval_s,
        ct=draw(ABOVE_0),
        pt=draw(ABOVE_0),
        reversed=draw(st.booleans()),
        quantities=tuple(quantities),
        rates=dict.fromkeys(sorted(quicker), interval_s / 2),
        plausible=draw(st.dictionaries(st.sampled_from(ALL), BOUNDS, max_size=2)),
        organisation=draw(of["organisation"]),
        item=draw(st.none() | CODES | st.sampled_from(["A1", "01B00", "01100", "1e5", "on", "~"])),
        account=draw(_any_of([account for account in accounts if account.medium is medium])),
        registers=draw(st.dictionaries(st.sampled_from(COUNTERS), REGISTERS, max_size=2)),
        removed_on=draw(st.dates()) if line is None and draw(st.booleans()) else None,
    )


def _fact(draw: st.DrawFn, organisation: Organisation, name: FactName) -> Fact:
    return Fact(name, draw(DECIMALS), organisation=organisation.id, valid=draw(validities()), source=draw(WORDS))


def _share(draw: st.DrawFn, meter: Meter, organisations: list[Organisation]) -> Share:
    basis = draw(st.sampled_from([Basis.SUB_METER, Basis.AREA, Basis.PEOPLE]))
    weighed = basis is Basis.PEOPLE or (basis is Basis.AREA and draw(st.booleans()))
    parts = tuple(Part(o.id, draw(DECIMALS.filter(bool)) if weighed else None) for o in organisations)
    return Share(basis, draw(CODES), parts, meter=meter.id, valid=draw(validities()))


def _virtual_point(draw: st.DrawFn, name: str, of: dict[str, st.SearchStrategy[str | None]]) -> VirtualPoint:
    return VirtualPoint(
        name,
        draw(NAMES),
        draw(MEDIA),
        draw(st.sampled_from(COUNTERS)),
        draw(CODES.filter(str.strip)),
        draw(of["place"]),
        draw(of["organisation"]),
        draw(st.none() | CODES),
        draw(validities()),
    )
