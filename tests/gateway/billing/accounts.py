"""Accounts with meters that count a kilowatt-hour an hour, and their tariffs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from energy.organisations import Account
from energy.quantities import Medium
from energy.readings import Point
from energy.sites import Meter, Site, Text
from tests.gateway.ledger.books import columns

ENERGY = "active_energy_import"
FIRST = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
FLAT = "price: 0.50"


def meter(name: str, **given: Any) -> Meter:
    return Meter(name, Text(name, name), Medium.ELECTRICITY, quantities=(ENERGY,), **given)


def site(meters: Sequence[Meter], tariff: str | None = "t", **given: Any) -> Site:
    account = Account("1100", Medium.ELECTRICITY, tariff=tariff, **given)
    return Site("campus", Text("园区", "Campus"), "Asia/Shanghai", accounts=(account,), meters=tuple(meters))


def hourly(name: str, days: int, use: float = 1.0, start: datetime = FIRST, quantity: str = ENERGY) -> Any:
    """A register read every hour."""
    rows = {start + timedelta(hours=i): 1000.0 + i * use for i in range(days * 24 + 1)}
    return columns(rows, Point(name, quantity))
