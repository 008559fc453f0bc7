"""Contract files for tests, and what a statement is reckoned from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from analytics.contracts.baseline import Baseline, Segment
from analytics.contracts.contract_file import contracts_of, documents_of
from analytics.contracts.day_kinds import DayKind
from analytics.contracts.inputs import Inputs, MeterDays
from analytics.contracts.words import ContractWords
from energy.documents import Document

POINT = "main:active_energy_import"
SAVINGS = """
contracts:
- id: lighting
  number: HT-2026-018
  name: {zh: 照明改造, en: Lighting}
  client: {name: 市医院, tax_id: 121100004000000014}
  esco: {name: 节能服务公司, tax_id: 91110105MA00000012}
  signed_on: 2025-12-20
  from: 2026-01-01
  to: 2030-12-31
  station: "54511"
  boundary:
  - {point: "main:active_energy_import"}
  clauses:
  - id: savings
    kind: shared_savings
    name: {zh: 节能效益分享, en: Shared savings}
    price: {agreed: [{from: 2026-01-01, price: 0.80}]}
    tax: {rate_percent: 6, included: true}
    negative: carry_forward
    stages:
    - {to: 2027-12-31, share_percent: 90}
    - {from: 2028-01-01, share_percent: 70}
"""
TRUST = """
contracts:
- id: trust
  number: TG-2026-001
  name: {zh: 能源托管, en: Energy trust}
  client: {name: 市政府, tax_id: 121100004000000014}
  esco: {name: 节能服务公司, tax_id: 91110105MA00000012}
  signed_on: 2025-12-20
  from: 2026-01-01
  to: 2030-12-31
  boundary:
  - {point: "main:active_energy_import"}
  clauses:
  - id: fee
    kind: trust_fee
    name: {zh: 托管费, en: Trust fee}
    fee_per_month: 50000
    tax: {rate_percent: 6, included: false}
    adjustments:
    - {kind: fixed, id: canteen, why: canteen opened, evidence: letter 3, from: 2026-02-15, amount: 2800}
    - kind: price
      id: price
      why: price of electricity
      evidence: price letter of 2026-02
      base_price: 0.75
      quantity_per_month: 60000
      prices: [{from: 2026-02-01, price: 0.77}]
    - kind: proportional
      id: area
      why: new wing
      evidence: acceptance record 12
      of: area_m2
      base: 20000
      weight: 0.5
      values: [{from: 2026-02-01, value: 21000}]
"""


def contract(text: str = SAVINGS, known: Sequence[str] | None = None) -> ContractWords:
    [made] = contracts_of(Document(Path("contract.yaml"), text), known)
    return made


def document(text: str, folder: Path) -> str:
    """As it is kept."""
    path = folder / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    [made] = documents_of(path).values()
    return made


def baseline(**given: Any) -> Baseline:
    """100 a day, and 5 for each degree below 18; frozen by hand."""
    segment = Segment(base=100_000_000, heating=5_000_000, heating_below=1800)
    whole: dict[str, Any] = {
        "clause": "savings",
        "version": 1,
        "unit": "kWh",
        "method": "daily",
        "first": date(2025, 1, 1),
        "end": date(2026, 1, 1),
        "points": (POINT,),
        "station": "54511",
        "segments": dict.fromkeys(DayKind, segment),
        "figures": None,
        "data": "0" * 64,
        **given,
    }
    return Baseline(**whole)


def meter(amounts: Sequence[int | None], first: date, **given: Any) -> MeterDays:
    """A counter with so many whole units on each day, at half a yuan."""
    whole: dict[str, Any] = {
        "point": POINT,
        "name": "总表",
        "unit": "kWh",
        "sign": 1,
        "first": first,
        "end": first + timedelta(days=len(amounts)),
        "amount": [None if a is None else a * 1_000_000 for a in amounts],
        "cost": [None if a is None else a * 500_000 for a in amounts],
        **given,
    }
    return MeterDays(**whole)


def inputs(text: str, amounts: Sequence[int | None], celsius: Sequence[float | None], **given: Any) -> Inputs:
    """From the first of March 2026 on, so many days."""
    first = given.pop("first", date(2026, 3, 1))
    whole: dict[str, Any] = {
        "number": "HT-2026-018-001",
        "sequence": 1,
        "first": first,
        "end": first + timedelta(days=len(amounts)),
        "zone": "Asia/Shanghai",
        "document": text,
        "contract_version": 1,
        "meters": [meter(amounts, first)],
        "temperature": [None if t is None else round(t * 100) for t in celsius],
        "baselines": {"savings": baseline()},
        **given,
    }
    return Inputs(**whole)
