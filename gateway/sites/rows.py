"""Sites as rows and back. A row holds plain JSON: dates as ISO text, decimals as text without needless zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from energy.organisations import Account, Basis, Fact, FactName, Membership, Organisation, Part, Share
from energy.quantities import Medium
from energy.sites import LineSettings, Meter, Place, RegisterSettings, Site, Text, VirtualPoint
from energy.validity import Validity

Row = dict[str, Any]
# Fields that are called alike in the value and in its row, and need no conversion.
_METER = ("id", "place", "parent", "line", "unit", "interval_s", "ct", "pt", "reversed")
_METER_OF = ("organisation", "item", "account", "sender")
_LINE = ("id", "address", "timeout_s", "edge")
_VIRTUAL = ("id", "quantity", "formula", "place", "organisation", "item")
_ACCOUNT = ("id", "supplier", "organisation", "tariff", "capacity_kva")
_REGISTER = ("limit_per_h", "modulus", "resolution")


def rows_of(site: Site) -> dict[str, list[Row]]:
    """All records of a site by kind."""
    return {
        "site": [{"id": site.id, **_named(site.name), "zone": site.zone}],
        "place": [_of_place(place) for place in site.places],
        "organisation": [_of_organisation(organisation) for organisation in site.organisations],
        "membership": [_of_membership(membership) for membership in site.memberships],
        "fact": [_of_fact(fact) for fact in site.facts],
        "line": [_same(line, _LINE) for line in site.lines],
        "account": [{**_same(account, _ACCOUNT), "medium": str(account.medium)} for account in site.accounts],
        "meter": [_of_meter(meter) for meter in site.meters],
        "virtual_point": [_of_virtual_point(point) for point in site.virtual_points],
        "share": [_of_share(share) for share in site.shares],
    }


def site_of(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Site:
    """The site of its records; `rows_of` undone."""
    [head] = rows["site"]
    return Site(
        head["id"],
        _name(head),
        head["zone"],
        places=tuple(_place(row) for row in rows["place"]),
        organisations=tuple(_organisation(row) for row in rows["organisation"]),
        memberships=tuple(Membership(r["organisation"], r["within"], _valid(r)) for r in rows["membership"]),
        facts=tuple(_fact(row) for row in rows["fact"]),
        lines=tuple(LineSettings(**_kept(r, _LINE)) for r in rows["line"]),
        accounts=tuple(Account(medium=Medium(r["medium"]), **_kept(r, _ACCOUNT)) for r in rows["account"]),
        meters=tuple(_meter(row) for row in rows["meter"]),
        virtual_points=tuple(_virtual_point(row) for row in rows["virtual_point"]),
        shares=tuple(_share(row) for row in rows["share"]),
    )


def _same(value: object, names: Sequence[str]) -> Row:
    return {name: getattr(value, name) for name in names}


def _kept(row: Mapping[str, Any], names: Sequence[str]) -> Row:
    return {name: row[name] for name in names}


def _named(name: Text) -> Row:
    return {"name_zh": name.zh, "name_en": name.en}


def _name(row: Mapping[str, Any]) -> Text:
    return Text(row["name_zh"], row["name_en"])


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _dated(valid: Validity) -> Row:
    return {"valid_from": _day(valid.start), "valid_to": _day(valid.end)}


def _valid(row: Mapping[str, Any]) -> Validity:
    return Validity(_date(row["valid_from"]), _date(row["valid_to"]))


def _of_hidden(valid: Validity | None) -> Row:
    return {"hidden": None if valid is None else f"{_day(valid.start) or '..'}/{_day(valid.end) or '..'}"}


def _hidden(row: Mapping[str, Any]) -> Validity | None:
    if row["hidden"] is None:
        return None
    start, _, end = row["hidden"].partition("/")
    return Validity(*(None if day == ".." else date.fromisoformat(day) for day in (start, end)))


def _digits(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _of_place(p: Place) -> Row:
    # Both trees are kept in one table; a place is no institution.
    same = {"id": p.id, **_named(p.name), "kind": p.kind, "parent": p.parent, "institution_class": None}
    return {**same, "code": p.code, **_dated(p.valid), **_of_hidden(p.hidden)}


def _place(row: Mapping[str, Any]) -> Place:
    return Place(row["id"], _name(row), row["kind"], row["parent"], _valid(row), _hidden(row), row["code"])


def _of_organisation(o: Organisation) -> Row:
    same = _same(o, ("id", "kind", "parent", "institution_class", "code"))
    return {**same, **_named(o.name), **_dated(o.valid), **_of_hidden(o.hidden)}


def _organisation(row: Mapping[str, Any]) -> Organisation:
    same = _kept(row, ("id", "kind", "parent", "institution_class", "code"))
    return Organisation(**same, name=_name(row), valid=_valid(row), hidden=_hidden(row))


def _of_membership(m: Membership) -> Row:
    return {**_same(m, ("organisation", "within")), **_dated(m.valid)}


def _of_fact(f: Fact) -> Row:
    tree, node = f.node
    of = {"tree": tree, "node": node, "fact": str(f.fact), "value": _digits(f.value), "source": f.source}
    return {**of, **_dated(f.valid)}


def _fact(row: Mapping[str, Any]) -> Fact:
    of = {row["tree"]: row["node"]}
    return Fact(FactName(row["fact"]), Decimal(row["value"]), **of, valid=_valid(row), source=row["source"])


def _of_meter(m: Meter) -> Row:
    return {
        **_same(m, (*_METER, *_METER_OF)),
        **_named(m.name),
        "profile": _asked_as(m),
        "medium": str(m.medium),
        "quantities": [f"{q}@{m.rates[q]!r}" if q in m.rates else q for q in m.quantities],
        "plausible": {name: list(bounds) for name, bounds in m.plausible.items()},
        "registers": {name: _same(settings, _REGISTER) for name, settings in m.registers.items()},
        "removed_on": _day(m.removed_on),
        **_of_hidden(m.hidden),
    }


def _asked_as(m: Meter) -> str | None:
    """The profile, and behind it the address if that is asked: `dlt645/three-phase @000000000161`."""
    return m.profile if m.address is None else f"{m.profile or ''} @{m.address}"


def _asked(text: str | None) -> tuple[str | None, str | None]:
    """Profile and address; `_asked_as` undone."""
    profile, _, address = (text or "").rpartition(" @")
    return (profile or None, address) if address.isdigit() and text != address else (text, None)


def _meter(row: Mapping[str, Any]) -> Meter:
    profile, address = _asked(row["profile"])
    # A quantity that is read more often than the others bears its interval: `active_power@5.0`.
    read = [(name, every) for name, _, every in (text.partition("@") for text in row["quantities"])]
    return Meter(
        **_kept(row, (*_METER, *_METER_OF)),
        name=_name(row),
        medium=Medium(row["medium"]),
        profile=profile,
        address=address,
        quantities=tuple(name for name, _ in read),
        rates={name: float(every) for name, every in read if every},
        plausible={name: (low, high) for name, (low, high) in row["plausible"].items()},
        registers={name: RegisterSettings(**settings) for name, settings in row["registers"].items()},
        removed_on=_date(row["removed_on"]),
        hidden=_hidden(row),
    )


def _of_virtual_point(v: VirtualPoint) -> Row:
    return {**_same(v, _VIRTUAL), **_named(v.name), "medium": str(v.medium), **_dated(v.valid)}


def _virtual_point(row: Mapping[str, Any]) -> VirtualPoint:
    same = _kept(row, _VIRTUAL)
    return VirtualPoint(**same, name=_name(row), medium=Medium(row["medium"]), valid=_valid(row))


def _of_share(s: Share) -> Row:
    kind, subject = s.subject
    parts = [{"organisation": part.organisation, "weight": _digits(part.weight)} for part in s.parts]
    of = {"subject_kind": kind, "subject": subject, "basis": str(s.basis), "document": s.document}
    return {**of, **_dated(s.valid), "parts": parts}


def _share(row: Mapping[str, Any]) -> Share:
    parts = tuple(Part(part["organisation"], _decimal(part["weight"])) for part in row["parts"])
    of = {row["subject_kind"]: row["subject"]}
    return Share(Basis(row["basis"]), row["document"], parts, **of, valid=_valid(row))
