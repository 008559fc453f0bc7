"""How many people use energy (用能人数), by type of institution: formulas as data, each with its source.

No formula is a law of nature: provinces have their own. These are defaults that are shown with their confidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from analytics.reporting.figures import Figure
from energy.confidence import Confidence
from energy.errors import UnknownName
from energy.organisations import FactName
from energy.sites import Text


class Purpose(StrEnum):
    """What a head count divides."""

    ENERGY = "energy"
    WATER = "water"


@dataclass(frozen=True, slots=True)
class Term:
    """A count and how much one of it weighs; None where the document says that it is converted, but not how."""

    count: FactName
    name: Text
    weight: Decimal | None


@dataclass(frozen=True, slots=True)
class HeadCount:
    """The formula of a type of institution: the sum of weight × count."""

    institution: str
    name: Text
    purposes: tuple[Purpose, ...]
    terms: tuple[Term, ...]
    source: str
    confidence: Confidence
    note: str = ""

    def __post_init__(self) -> None:
        if any(t.weight is not None and not t.weight > 0 for t in self.terms) or not self.terms:
            raise ValueError(f"{self.institution}: needs terms, each with a weight above 0")

    def people(self, counts: Mapping[FactName, Decimal | None]) -> Figure:
        """The head count of these counts; without a value where one of them, or its weight, is not known."""
        unweighed = [t.name for t in self.terms if t.weight is None]
        if unweighed:
            return _unknown("缺少折算系数：", "no weight is known for ", unweighed)
        missing = [t.name for t in self.terms if counts.get(t.count) is None]
        if missing:
            return _unknown("缺少人数：", "not given: ", missing)
        weighed = (t.weight * count for t in self.terms if t.weight and (count := counts[t.count]) is not None)
        return Figure(sum(weighed, Decimal(0)), "person")


def _unknown(zh: str, en: str, names: list[Text]) -> Figure:
    reason = Text(zh + "、".join(n.zh for n in names), en + ", ".join(n.en for n in names))
    return Figure(None, "person", reason)


_ONE, _HALF = Decimal(1), Decimal("0.5")
# A boarder weighs 2, and is one of the students already.
_PUPILS = (
    Term(FactName.STUDENTS, Text("学生（含住宿生）", "pupils, boarders among them"), _ONE),
    Term(FactName.BOARDERS, Text("住宿生（再计一次）", "boarders, once more"), _ONE),
    Term(FactName.STAFF, Text("教职工", "staff"), _ONE),
)
_DB37_4452 = "DB37/T 4452-2021 (Shandong), for water; by one copy"
_BOTH, _WATER = (Purpose.ENERGY, Purpose.WATER), (Purpose.WATER,)
_ONE_COPY = Confidence.SINGLE_SOURCE

HEAD_COUNTS: tuple[HeadCount, ...] = (
    HeadCount(
        "office",
        Text("党政机关", "government office"),
        _BOTH,
        (
            Term(
                FactName.STAFF, Text("在职、长期聘用和工勤人员", "staff, those hired for long and service staff"), _ONE
            ),
        ),
        "DB11/T 1958-2022 (Beijing); the statistics form of 2010 says the same in other words",
        Confidence.VERIFIED,
        "visitors and guests of meetings do not count; where no exact number is to be had, a careful average",
    ),
    HeadCount(
        "university",
        Text("高等学校", "university"),
        _WATER,
        (
            Term(FactName.STUDENTS, Text("统招生", "enrolled students"), _ONE),
            Term(FactName.INTERNATIONAL_STUDENTS, Text("留学生", "international students"), _ONE),
            Term(FactName.STAFF, Text("教职工", "staff"), _HALF),
        ),
        _DB37_4452,
        _ONE_COPY,
    ),
    HeadCount("school", Text("中小学", "school"), _WATER, _PUPILS, _DB37_4452, _ONE_COPY),
    HeadCount("kindergarten", Text("幼儿园", "kindergarten"), _WATER, _PUPILS, _DB37_4452, _ONE_COPY),
    HeadCount(
        "hospital",
        Text("医院", "hospital"),
        _BOTH,
        (
            Term(FactName.STAFF, Text("职工", "staff"), _ONE),
            Term(FactName.OUTPATIENTS, Text("折算门诊人次", "out-patients, converted"), None),
            Term(FactName.BEDS, Text("折算床位", "beds, converted"), None),
        ),
        "practice of audits, by one copy: staff, with out-patients and beds converted; the weights were not found",
        _ONE_COPY,
        "enter the head count by hand until your province's weights are known",
    ),
)


def head_count(institution: str, purpose: Purpose) -> HeadCount:
    """The formula for a type of institution and a purpose.

    >>> counted = {FactName.STUDENTS: Decimal(500), FactName.BOARDERS: Decimal(200), FactName.STAFF: Decimal(60)}
    >>> head_count("school", Purpose.WATER).people(counted).value
    Decimal('760')
    """
    of_type = [h for h in HEAD_COUNTS if h.institution == institution]
    if not of_type:
        known = ", ".join(dict.fromkeys(h.institution for h in HEAD_COUNTS))
        raise UnknownName(f"no head count is known for {institution!r}; there are {known}")
    for found in of_type:
        if purpose in found.purposes:
            return found
    raise UnknownName(f"for {institution} a head count is known for water only; enter it, or ask your province")
