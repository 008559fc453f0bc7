"""Organisations: who uses what is measured, how large they are, and how they share. All of it dated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from energy.names import Text, check_id
from energy.official_codes import check_organisation_code
from energy.quantities import Medium
from energy.validity import ALWAYS, Validity


@dataclass(frozen=True, slots=True)
class Organisation:
    """A region, department, institution or office; `institution_class` is the type of institution, as it is coded.

    `code` is its official one: of regions that of GB/T 2260, of all others the unified social credit code.
    """

    id: str
    name: Text
    kind: str = "institution"
    parent: str | None = None
    institution_class: str | None = None
    valid: Validity = ALWAYS
    code: str | None = None

    def __post_init__(self) -> None:
        check_id("organisation", self.id)
        if self.code is not None:
            check_organisation_code(self.kind, self.code)


@dataclass(frozen=True, slots=True)
class Membership:
    """An organisation belongs below another one for a time, beside its `parent`: a school below its department."""

    organisation: str
    within: str
    valid: Validity = ALWAYS

    def __post_init__(self) -> None:
        if self.organisation == self.within:
            raise ValueError(f"organisation {self.organisation} cannot belong to itself")


class FactName(StrEnum):
    """What is known of a place or an organisation, as a number."""

    AREA_M2 = "area_m2"
    HEATED_AREA_M2 = "heated_area_m2"
    DATA_ROOM_AREA_M2 = "data_room_area_m2"
    LAND_M2 = "land_m2"
    PEOPLE = "people"
    POSTS = "posts"
    STAFF = "staff"
    STUDENTS = "students"
    INTERNATIONAL_STUDENTS = "international_students"
    BOARDERS = "boarders"
    BEDS = "beds"
    OUTPATIENTS = "outpatients"


@dataclass(frozen=True, slots=True)
class Fact:
    """How large a place or an organisation is, for a time; `source` is the document that says so."""

    fact: FactName
    value: Decimal
    place: str | None = None
    organisation: str | None = None
    valid: Validity = ALWAYS
    source: str = ""

    def __post_init__(self) -> None:
        if (self.place is None) == (self.organisation is None):
            raise ValueError("a fact is of a place or of an organisation; give one of them")
        if not self.value.is_finite() or self.value < 0:
            raise ValueError(f"{self.fact} {self.value} must be a number not below 0")

    @property
    def node(self) -> tuple[str, str]:
        """What it is of: `place` or `organisation`, and its id."""
        return ("place", self.place) if self.place is not None else ("organisation", self.organisation or "")


class Basis(StrEnum):
    """By what a consumption is shared between organisations."""

    SUB_METER = "sub_meter"
    AREA = "area"
    PEOPLE = "people"
    FIXED = "fixed"


# The fact that gives the weights where none are written.
WEIGHED_BY = {Basis.AREA: FactName.AREA_M2, Basis.PEOPLE: FactName.PEOPLE}


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one organisation; without a weight it is found by the basis of the share."""

    organisation: str
    weight: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How organisations share what one meter measures, or what flows in one place, for a time.

    `document` names the written basis. Weights: of `fixed` fractions that sum to 1; of `area` and `people` numbers
    in any measure, or none, then the dated facts of the organisations count; of `sub_meter` none.
    """

    basis: Basis
    document: str
    parts: tuple[Part, ...]
    meter: str | None = None
    place: str | None = None
    valid: Validity = ALWAYS

    def __post_init__(self) -> None:
        if (self.meter is None) == (self.place is None):
            raise ValueError("a share is of a meter or of a place; give one of them")
        for part in self.parts:
            if part.weight is not None and not (part.weight.is_finite() and part.weight >= 0):
                raise ValueError(f"weight {part.weight} of {part.organisation} must be a number not below 0")

    @property
    def subject(self) -> tuple[str, str]:
        """What is shared: `meter` or `place`, and its id."""
        return ("meter", self.meter) if self.meter is not None else ("place", self.place or "")

    @property
    def weighed_by_facts(self) -> FactName | None:
        """The fact that the weights are taken from; None where they are written, or none are needed."""
        return WEIGHED_BY.get(self.basis) if all(part.weight is None for part in self.parts) else None

    def faults(self) -> Iterator[str]:
        """What is wrong with its parts and their weights, in sentences."""
        names = [part.organisation for part in self.parts]
        weights = [part.weight for part in self.parts if part.weight is not None]
        if not names:
            yield "nobody has a part of it"
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"organisation {name!r} has two parts; give it one"
        if self.basis is Basis.SUB_METER and weights:
            yield "basis sub_meter takes no weights: the sub-meters tell them"
        elif self.basis is Basis.FIXED and (len(weights) < len(names) or sum(weights) != 1):
            yield f"fixed weights must be given to all and sum to 1, these sum to {sum(weights)}"
        elif weights and (len(weights) < len(names) or not any(weights)):
            yield f"basis {self.basis}: give a weight to every part, or to none; and not 0 to all"


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a supplier; the id is the one on its bills (电户号). Its meters name it."""

    id: str
    medium: Medium
    supplier: str = ""
    organisation: str | None = None
    tariff: str | None = None
    capacity_kva: float | None = None

    def __post_init__(self) -> None:
        check_id("account", self.id)
        if self.capacity_kva is not None and not self.capacity_kva > 0:
            raise ValueError(f"account {self.id}: capacity_kva {self.capacity_kva} is not above 0")
