"""Sites for tests of the ledger: meters in their places, of their organisations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from energy.organisations import Account, Basis, Fact, FactName, Organisation, Part, Share
from energy.quantities import Medium
from energy.readings import Point
from energy.sites import Meter, Place, Site, Text
from energy.validity import Validity

ENERGY = "active_energy_import"
NAME = Text("某", "some")


def meter(name: str, parent: str | None = None, **given: Any) -> Meter:
    given.setdefault("medium", Medium.ELECTRICITY)
    given.setdefault("quantities", (ENERGY,))
    return Meter(name, NAME, parent=parent, **given)


def place(name: str, parent: str | None = None) -> Place:
    return Place(name, NAME, "building", parent)


def organisation(name: str, parent: str | None = None) -> Organisation:
    return Organisation(name, NAME, parent=parent)


def share(
    basis: Basis, *parts: str | tuple[str, str], since: date | None = None, until: date | None = None, **of: str
) -> Share:
    """Among organisations, each with its weight if one is written."""
    made = [Part(p) if isinstance(p, str) else Part(p[0], Decimal(p[1])) for p in parts]
    return Share(basis, "an agreement", tuple(made), valid=Validity(since, until), **of)


def fact(name: FactName, value: float, since: date | None = None, until: date | None = None, **of: str) -> Fact:
    return Fact(name, Decimal(str(value)), valid=Validity(since, until), **of)


def site(*meters: Meter, **lists: Sequence[Any]) -> Site:
    """A site that holds together."""
    made = Site("court", NAME, "Asia/Shanghai", meters=meters, **{k: tuple(v) for k, v in lists.items()})
    assert made.faults() == []
    return made


def account(name: str, tariff: str) -> Account:
    return Account(name, Medium.ELECTRICITY, tariff=tariff)


def point(name: str) -> Point:
    return Point(name, ENERGY)
