"""What an account used in a month: all that a bill may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from analytics.tariffs.charges import Basis
from analytics.tariffs.hours import Band


class Missing(StrEnum):
    """What the tariff charges by and nobody told; its lines are left out."""

    PRICE = "price"
    USE = "use"
    BANDS = "bands"
    REACTIVE = "reactive"
    MAX_DEMAND = "max_demand"
    CAPACITY = "capacity"
    CHARGED_BY = "charged_by"
    AREA = "area"
    QUOTA = "quota"
    USED_BEFORE = "used_before"


@dataclass(frozen=True, slots=True)
class Use:
    """What an account used in a month; None is what nobody told, and not nothing.

    bands : use by band [unit]; {Band.NONE: use} where it is undivided, {} where nobody told it.
    reactive : reactive energy [kvarh]. max_demand : [kW]. capacity : contracted [kVA].
    charged_by : the basis of the basic charge, where the tariff leaves a choice.
    area : heated [m2]. used_before : in the year before this month [unit].
    quota : for the period that the tariff reckons its excess in [unit].
    """

    bands: Mapping[Band, Decimal] = field(default_factory=dict)
    reactive: Decimal | None = None
    max_demand: Decimal | None = None
    capacity: Decimal | None = None
    charged_by: Basis | None = None
    area: Decimal | None = None
    used_before: Decimal | None = None
    quota: Decimal | None = None

    def __post_init__(self) -> None:
        names = ("reactive", "max_demand", "capacity", "area", "used_before", "quota")
        given = {name: getattr(self, name) for name in names} | {b.word: used for b, used in self.bands.items()}
        for name, value in given.items():
            if value is not None and not (value.is_finite() and value >= 0):
                raise ValueError(f"{name} {value} must be a number, 0 or more")
        if self.charged_by is not None:
            Basis(self.charged_by)
        if Band.NONE in self.bands and len(self.bands) > 1:
            raise ValueError("use must be divided into bands or undivided, not both")

    @property
    def total(self) -> Decimal:
        return sum(self.bands.values(), Decimal(0))
