"""What a statement is reckoned from, frozen: the contract, its baselines, days of meters and weather, adjustments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from analytics.contracts.baseline import COEFFICIENT_DIGITS, TEMPERATURE_DIGITS, Baseline, spelled, whole
from analytics.contracts.canonical import digest
from analytics.contracts.contract_file import contract_of
from analytics.contracts.day_kinds import DayKind, kinds_of
from analytics.contracts.sufficiency import day_range
from analytics.contracts.words import ContractWords


@dataclass(frozen=True, slots=True)
class Register:
    """What a counter showed: at the border of the period or the reading next to it, or where a meter was exchanged.

    what : start, end, final (of the old meter), initial (of the new one), before or after (the border, where there is
    no reading at it). register : as it is stored, transformer ratios worked in. ratio : what it is worth besides, by an
    event that said so. event : number of the event that tells it.
    """

    what: str
    at_ms: int
    register: str
    ratio: str = "1"
    event: int | None = None


@dataclass(frozen=True, slots=True)
class Estimated:
    """Hours whose amount was spread over a gap, as the register before and after it tell [millionths of the unit]."""

    from_ms: int
    to_ms: int
    amount: int


@dataclass(frozen=True, slots=True)
class MeterDays:
    """A counter over the days of the period.

    amount : (n,) what flowed on each day [millionths of the unit]; None where not all of the day is known.
    cost : (n,) what it cost [millionths of a yuan]; None where it has no tariff.
    shares : how many ms are measured, estimated, manual, missing and disputed. basis : what the hours were made under.
    """

    point: str
    name: str
    unit: str
    sign: int
    first: date
    end: date
    amount: Sequence[int | None]
    cost: Sequence[int | None]
    registers: Sequence[Register] = ()
    estimated: Sequence[Estimated] = ()
    shares: Mapping[str, int] = field(default_factory=dict)
    basis: str = ""
    ratio: str = "1"

    @property
    def total(self) -> int | None:
        """What flowed over all days [millionths]; None where of one of them not all is known."""
        known = [a for a in self.amount if a is not None]
        return sum(known) if len(known) == len(self.amount) else None

    @property
    def by_registers(self) -> Decimal | None:
        """What flowed as the registers tell it [unit]: of each life the last less the first; None where the border was
        not read, or an exchange has no registers."""
        total, first = Decimal(0), None
        for one in self.registers:
            if one.what in ("start", "initial") and first is None:
                first = one
            elif one.what in ("end", "final") and first is not None:
                total += (Decimal(one.register) - Decimal(first.register)) * Decimal(first.ratio)
                first = None
            else:
                return None
        return total if self.registers and first is None else None

    def plain(self) -> dict[str, Any]:
        told = asdict(self)
        told.pop("first"), told.pop("end")
        return {
            **told,
            "from": self.first.isoformat(),
            "to": self.end.isoformat(),
            "amount": list(self.amount),
            "cost": list(self.cost),
            "registers": [asdict(r) for r in self.registers],
            "estimated": [asdict(e) for e in self.estimated],
            "shares": dict(self.shares),
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> MeterDays:
        rest = {k: v for k, v in plain.items() if k not in ("from", "to", "registers", "estimated")}
        return cls(
            **rest,
            first=date.fromisoformat(plain["from"]),
            end=date.fromisoformat(plain["to"]),
            registers=[Register(**r) for r in plain["registers"]],
            estimated=[Estimated(**e) for e in plain["estimated"]],
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A non-routine adjustment of a baseline (非常规调整量), signed: above zero where more would have been used.

    per_day : [millionths of the unit]. first, last : days that it holds, both included.
    """

    id: int
    clause: str
    first: date
    last: date
    per_day: int
    formula: str
    evidence: str
    why: str
    who: str

    def plain(self) -> dict[str, Any]:
        told = {n: getattr(self, n) for n in ("id", "clause", "formula", "evidence", "why", "who")}
        per_day = spelled(self.per_day, COEFFICIENT_DIGITS)
        return {**told, "from": self.first.isoformat(), "to": self.last.isoformat(), "per_day": per_day}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Adjustment:
        told = {n: plain[n] for n in ("id", "clause", "formula", "evidence", "why", "who")}
        first, last = date.fromisoformat(plain["from"]), date.fromisoformat(plain["to"])
        return cls(**told, first=first, last=last, per_day=whole(plain["per_day"], COEFFICIENT_DIGITS))


@dataclass(frozen=True, slots=True)
class Carried:
    """What an earlier statement left to be set against this one [yuan, as text, below zero]."""

    amount: str
    number: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Factors:
    """What a unit that is saved comes to [kgce, kgCO2 as text]; None where the set does not tell."""

    set: str
    year: int
    kgce: str
    kgco2: str | None
    used: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a statement hangs on.

    first, end : the period, `end` not included. temperature : (n,) of its days [hundredths of degC].
    document : the contract as it was agreed, version `contract_version`. baselines, carried, factors : by clause.
    """

    number: str
    sequence: int
    first: date
    end: date
    zone: str
    document: str
    contract_version: int
    meters: Sequence[MeterDays]
    temperature: Sequence[int | None]
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    adjustments: Sequence[Adjustment] = ()
    carried: Mapping[str, Carried] = field(default_factory=dict)
    factors: Mapping[str, Factors] = field(default_factory=dict)

    @property
    def contract(self) -> ContractWords:
        return contract_of(self.document)

    @property
    def days(self) -> list[date]:
        return day_range(self.first, self.end)

    @property
    def kinds(self) -> list[DayKind]:
        return kinds_of(self.days, self.contract.holidays, self.contract.workdays)

    def plain(self) -> dict[str, Any]:
        contract = self.contract
        return {
            "number": self.number,
            "sequence": self.sequence,
            "contract": {
                "id": contract.id,
                "number": contract.number,
                "version": self.contract_version,
                "document": self.document,
                "sha256": digest(self.document),
            },
            "period": {"from": self.first.isoformat(), "to": self.end.isoformat(), "zone": self.zone},
            "weather": {"station": contract.station, "temperature": [_spelled(t) for t in self.temperature]},
            "baselines": {name: b.plain() for name, b in sorted(self.baselines.items())},
            "meters": [m.plain() for m in self.meters],
            "adjustments": [a.plain() for a in self.adjustments],
            "carried": {name: asdict(c) for name, c in sorted(self.carried.items())},
            "factors": {name: {**asdict(f), "used": list(f.used)} for name, f in sorted(self.factors.items())},
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Inputs:
        return cls(
            plain["number"],
            plain["sequence"],
            date.fromisoformat(plain["period"]["from"]),
            date.fromisoformat(plain["period"]["to"]),
            plain["period"]["zone"],
            plain["contract"]["document"],
            plain["contract"]["version"],
            [MeterDays.of_plain(m) for m in plain["meters"]],
            [None if t is None else whole(t, TEMPERATURE_DIGITS) for t in plain["weather"]["temperature"]],
            {name: Baseline.of_plain(b) for name, b in plain["baselines"].items()},
            [Adjustment.of_plain(a) for a in plain["adjustments"]],
            {name: Carried(**c) for name, c in plain["carried"].items()},
            {name: Factors(**f) for name, f in plain["factors"].items()},
        )


def _spelled(temperature: int | None) -> str | None:
    return None if temperature is None else spelled(temperature, TEMPERATURE_DIGITS)
