"""A site written as a site file: reading it back gives the same site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import yaml

from energy.organisations import Account, Fact, Membership, Organisation, Share
from energy.sites import LineSettings, Meter, Place, Site, Text, VirtualPoint
from energy.validity import Validity

_HOUR_S, _MINUTE_S = 3600, 60


def site_text(site: Site) -> str:
    """The site file of a site; a record a line, what is as usual left out."""
    words = site_words(site)
    head = {key: words.pop(key) for key in ("site", "name", "zone")}
    parts = [_dumped(head, flow=None)]
    for key, items in words.items():
        parts.append(f"\n{key}:\n" + "".join(f"  - {_dumped(item, flow=True)}" for item in items))
    return "".join(parts)


def site_words(site: Site) -> dict[str, Any]:
    """What stands in the site file, as data; lists of which there is nothing are left out."""
    words: dict[str, Any] = {"site": site.id, "name": _name(site.name), "zone": site.zone}
    lists = {
        "places": [_place(place) for place in site.places],
        "organisations": [_organisation(organisation) for organisation in site.organisations],
        "memberships": [_membership(membership) for membership in site.memberships],
        "facts": [_fact(fact) for fact in site.facts],
        "lines": [_line(line) for line in site.lines],
        "accounts": [_account(account) for account in site.accounts],
        "meters": [_meter(meter) for meter in site.meters],
        "virtual_points": [_virtual_point(point) for point in site.virtual_points],
        "shares": [_share(share) for share in site.shares],
    }
    return words | {key: items for key, items in lists.items() if items}


def duration(seconds: float) -> str:
    """A number with its unit, as `adapters.scalars.seconds` reads it.

    >>> duration(900.0), duration(0.25)
    ('15min', '0.25s')
    """
    for unit, length in (("h", _HOUR_S), ("min", _MINUTE_S), ("s", 1)):
        if seconds >= length and seconds % length == 0:
            return f"{int(seconds / length)}{unit}"
    return f"{Decimal(repr(seconds)):f}s"


def _name(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _dates(valid: Validity) -> dict[str, date | None]:
    return {"from": valid.start, "to": valid.end}


def _hidden(valid: Validity | None) -> Any:
    return None if valid is None else _given(_dates(valid)) or True


def _place(p: Place) -> dict[str, Any]:
    same = {"id": p.id, "name": _name(p.name), "kind": p.kind, "parent": p.parent, "code": p.code}
    return _given({**same, **_dates(p.valid), "hidden": _hidden(p.hidden)})


def _organisation(o: Organisation) -> dict[str, Any]:
    same = {"id": o.id, "name": _name(o.name), "kind": o.kind, "parent": o.parent}
    of = {"class": o.institution_class, "code": o.code}
    return _given({**same, **of, **_dates(o.valid), "hidden": _hidden(o.hidden)})


def _membership(m: Membership) -> dict[str, Any]:
    return _given({"organisation": m.organisation, "within": m.within, **_dates(m.valid)})


def _fact(f: Fact) -> dict[str, Any]:
    of = {"place": f.place, "organisation": f.organisation, "fact": f.fact, "value": f.value}
    return _given({**of, **_dates(f.valid), "source": f.source or None})


def _line(line: LineSettings) -> dict[str, Any]:
    how = {"address": line.address, "timeout": duration(line.timeout_s)}
    return _given({"id": line.id, **how, "edge": line.edge})


def _account(a: Account) -> dict[str, Any]:
    same = {"id": a.id, "medium": a.medium, "supplier": a.supplier or None, "organisation": a.organisation}
    return _given({**same, "tariff": a.tariff, "capacity_kva": a.capacity_kva})


def _meter(m: Meter) -> dict[str, Any]:
    """Ratios of 1 and empty lists say nothing and are left out."""
    where = {"id": m.id, "name": _name(m.name), "medium": m.medium, "place": m.place, "parent": m.parent}
    how = {"profile": m.profile, "line": m.line, **_called(m), "every": duration(m.interval_s)}
    ratios = {name: value for name, value in (("ct", m.ct), ("pt", m.pt)) if value != 1.0}
    of = {"organisation": m.organisation, "item": m.item, "account": m.account, "removed_on": m.removed_on}
    lists = {
        "read": [f"{q}@{duration(m.rates[q])}" if q in m.rates else q for q in m.quantities] or None,
        "plausible": {name: list(bounds) for name, bounds in m.plausible.items()} or None,
        "registers": {name: _register(settings) for name, settings in m.registers.items()} or None,
        "writable": {name: list(bounds) for name, bounds in m.writable.items()} or None,
    }
    said = {"reversed": m.reversed or None, "hidden": _hidden(m.hidden), "sender": m.sender}
    return _given({**where, **how, **ratios, **said, **of, **lists})


def _called(m: Meter) -> dict[str, Any]:
    """How it is called on its line."""
    return {"unit": m.unit} if m.address is None else {"address": m.address}


def _register(settings: Any) -> dict[str, float]:
    return _given({name: getattr(settings, name) for name in ("limit_per_h", "modulus", "resolution")})


def _virtual_point(v: VirtualPoint) -> dict[str, Any]:
    same = {"id": v.id, "name": _name(v.name), "medium": v.medium, "quantity": v.quantity, "formula": v.formula}
    return _given({**same, "place": v.place, "organisation": v.organisation, "item": v.item, **_dates(v.valid)})


def _share(s: Share) -> dict[str, Any]:
    parts = [_given({"organisation": part.organisation, "weight": part.weight}) for part in s.parts]
    of = {"meter": s.meter, "place": s.place, "basis": s.basis, "document": s.document}
    return _given({**of, **_dates(s.valid), "parts": parts})


def _given(words: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in words.items() if value is not None}


class _Writer(yaml.SafeDumper):
    """Without anchors, which people stumble over; decimals exactly as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Writer.add_multi_representer(StrEnum, lambda writer, word: writer.represent_str(str(word)))
_Writer.add_representer(Decimal, lambda writer, number: writer.represent_str(f"{number:f}"))


def _dumped(data: Any, *, flow: bool | None) -> str:
    text: str = yaml.dump(
        data, Dumper=_Writer, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=10**9
    )
    return text
