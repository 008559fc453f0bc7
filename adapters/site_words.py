"""The words of site files: what may stand in them, and what it becomes (see docs/site-file.md)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator, model_validator

from adapters.scalars import (
    Above0,
    Between,
    Bounds,
    Code,
    Duration,
    Id,
    Number,
    QuantityName,
    RatedQuantity,
    Ratio,
    known_zone,
    rated,
)
from energy.documents import NameWords, Words
from energy.official_codes import check_class, check_organisation_code, check_place_code
from energy.organisations import Account, Basis, Fact, FactName, Membership, Organisation, Part, Share
from energy.quantities import Medium
from energy.sites import LineSettings, Meter, Place, RegisterSettings, Site, VirtualPoint
from energy.validity import ALWAYS, Validity

M = TypeVar("M", bound=BaseModel)


class DatedWords(Words):
    """What holds from a day to a day; either may be left out."""

    from_: date | None = Field(None, alias="from")
    to: date | None = None

    @property
    def valid(self) -> Validity:
        return Validity(self.from_, self.to)

    @model_validator(mode="after")
    def _is_right(self: M) -> M:
        """What the value itself refuses is told at its line."""
        _ = getattr(self, "made", None)
        return self


class HiddenWords(DatedWords):
    """From which day to which day something is hidden."""


Hidden = bool | HiddenWords


def _hidden(words: Hidden) -> Validity | None:
    """When it is hidden: always, never, or between days."""
    return words.valid if isinstance(words, HiddenWords) else ALWAYS if words else None


class PlaceWords(DatedWords):
    """A campus, building, floor or zone."""

    id: Id
    name: NameWords
    kind: str = "building"
    parent: Id | None = None
    code: Code | None = None
    hidden: Hidden = False

    @field_validator("code")
    @classmethod
    def _is_a_code(cls, code: str | None, given: ValidationInfo) -> str | None:
        if code is not None and "kind" in given.data:
            check_place_code(given.data["kind"], code)
        return code

    @property
    def made(self) -> Place:
        return Place(self.id, self.name.text, self.kind, self.parent, self.valid, _hidden(self.hidden), self.code)


class LineWords(Words):
    """A line to meters."""

    id: Id
    address: str
    timeout: Duration = 1.0
    edge: Id | None = None

    @property
    def made(self) -> LineSettings:
        return LineSettings(self.id, self.address, self.timeout, self.edge)


class RegisterWords(Words):
    """The register of a counter."""

    limit_per_h: Above0 | None = None
    modulus: Above0 | None = None
    resolution: Above0 | None = None

    @property
    def made(self) -> RegisterSettings:
        return RegisterSettings(self.limit_per_h, self.modulus, self.resolution)


class MeterWords(Words):
    """A meter as it is installed."""

    id: Id
    name: NameWords
    medium: Medium
    place: Id | None = None
    parent: Id | None = None
    profile: str | None = None
    line: Id | None = None
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    address: Code | None = None
    every: Duration = 60.0
    ct: Ratio = 1.0
    pt: Ratio = 1.0
    reversed: bool = False
    read: list[RatedQuantity] = []
    plausible: dict[QuantityName, Bounds] = {}
    organisation: Id | None = None
    item: Code | None = None
    account: Id | None = None
    registers: dict[QuantityName, RegisterWords] = {}
    removed_on: date | None = None
    hidden: Hidden = False
    sender: Id | None = None
    writable: dict[str, Between] = {}

    @model_validator(mode="after")
    def _is_right(self) -> MeterWords:
        _ = self.made
        return self

    @property
    def made(self) -> Meter:
        same = self.model_dump(exclude={"name", "every", "read", "registers", "hidden"})
        read = [rated(text) for text in self.read]
        return Meter(
            **same,
            name=self.name.text,
            hidden=_hidden(self.hidden),
            interval_s=self.every,
            quantities=tuple(name for name, _ in read),
            rates={name: interval_s for name, interval_s in read if interval_s is not None},
            registers={name: words.made for name, words in self.registers.items()},
        )


class OrganisationWords(DatedWords):
    """A region, department, institution or office."""

    id: Id
    name: NameWords
    kind: str = "institution"
    parent: Id | None = None
    class_: Code | None = Field(None, alias="class")
    code: Code | None = None
    hidden: Hidden = False

    @field_validator("class_")
    @classmethod
    def _is_a_class(cls, code: str | None) -> str | None:
        if code is not None:
            check_class(code)
        return code

    @field_validator("code")
    @classmethod
    def _is_a_code(cls, code: str | None, given: ValidationInfo) -> str | None:
        if code is not None and "kind" in given.data:
            check_organisation_code(given.data["kind"], code)
        return code

    @property
    def made(self) -> Organisation:
        of = (self.kind, self.parent, self.class_, self.valid, _hidden(self.hidden), self.code)
        return Organisation(self.id, self.name.text, *of)


class MembershipWords(DatedWords):
    """An organisation belongs below another one for a time."""

    organisation: Id
    within: Id

    @property
    def made(self) -> Membership:
        return Membership(self.organisation, self.within, self.valid)


class FactWords(DatedWords):
    """How large a place or an organisation is."""

    fact: FactName
    value: Number
    place: Id | None = None
    organisation: Id | None = None
    source: str = ""

    @property
    def made(self) -> Fact:
        return Fact(self.fact, self.value, self.place, self.organisation, self.valid, self.source)


class PartWords(Words):
    """The part of one organisation."""

    organisation: Id
    weight: Number | None = None


class ShareWords(DatedWords):
    """How organisations share what a meter measures, or what flows in a place."""

    basis: Basis
    document: Annotated[str, Field(min_length=1)]
    parts: list[PartWords]
    meter: Id | None = None
    place: Id | None = None

    @property
    def made(self) -> Share:
        parts = tuple(Part(part.organisation, part.weight) for part in self.parts)
        return Share(self.basis, self.document, parts, self.meter, self.place, self.valid)


class VirtualPointWords(DatedWords):
    """A point that no meter measures."""

    id: Id
    name: NameWords
    medium: Medium
    quantity: QuantityName
    formula: str
    place: Id | None = None
    organisation: Id | None = None
    item: Code | None = None

    @property
    def made(self) -> VirtualPoint:
        same = self.model_dump(exclude={"name", "from_", "to"})
        return VirtualPoint(**same, name=self.name.text, valid=self.valid)


class AccountWords(Words):
    """An account at a supplier."""

    id: Id
    medium: Medium
    supplier: str = ""
    organisation: Id | None = None
    tariff: Id | None = None
    capacity_kva: Above0 | None = None

    @property
    def made(self) -> Account:
        return Account(**self.model_dump())


class SiteWords(Words):
    """What may stand in a site file."""

    site: Id
    name: NameWords
    zone: Annotated[str, AfterValidator(known_zone)] = "Asia/Shanghai"
    places: list[PlaceWords] = []
    lines: list[LineWords] = []
    meters: list[MeterWords] = []
    organisations: list[OrganisationWords] = []
    facts: list[FactWords] = []
    shares: list[ShareWords] = []
    virtual_points: list[VirtualPointWords] = []
    accounts: list[AccountWords] = []
    memberships: list[MembershipWords] = []

    @property
    def made(self) -> Site:
        return Site(
            self.site,
            self.name.text,
            self.zone,
            tuple(words.made for words in self.places),
            tuple(words.made for words in self.lines),
            tuple(words.made for words in self.meters),
            tuple(words.made for words in self.organisations),
            tuple(words.made for words in self.facts),
            tuple(words.made for words in self.shares),
            tuple(words.made for words in self.virtual_points),
            tuple(words.made for words in self.accounts),
            tuple(words.made for words in self.memberships),
        )
