"""Site files: what is measured where, as an operator writes it in YAML (see docs/site-file.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from energy.documents import Document, Words, checked, open_document
from energy.errors import ConfigurationError, UnknownName
from energy.quantities import Medium, quantity
from energy.sites import ID_PATTERN, LineSettings, Meter, Place, Site, Text

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def seconds(text: Any) -> float:
    """Seconds from a number with its unit.

    >>> seconds("15 min")
    900.0
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h)\s*", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("must be a number with its unit, such as 5s, 15min or 1h")
    return float(found[1]) * _SECONDS[found[2]]


def _known_quantity(name: str) -> str:
    try:
        return quantity(name).name
    except UnknownName as error:
        raise ValueError(str(error)) from error


def _well_formed(text: str) -> str:
    if not re.fullmatch(ID_PATTERN, text):
        raise ValueError("must be of letters, digits, '-', '_' and '.', 64 at most, beginning with a letter or digit")
    return text


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] < bounds[1]:
        raise ValueError(f"must be [low, high] with low below high; did you mean [{bounds[1]:g}, {bounds[0]:g}]?")
    return bounds


def _zone(text: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("must be a zone of the IANA database, such as Asia/Shanghai") from error


Id = Annotated[str, AfterValidator(_well_formed)]
QuantityName = Annotated[str, AfterValidator(_known_quantity)]
Duration = Annotated[float, BeforeValidator(seconds), Field(gt=0)]
Bounds = Annotated[tuple[float, float], AfterValidator(_ordered)]
Ratio = Annotated[float, Field(gt=0, le=1e6)]


class TextWords(Words):
    """A name in both languages."""

    zh: str
    en: str

    @property
    def text(self) -> Text:
        return Text(self.zh, self.en)


class PlaceWords(Words):
    """A building, floor or zone."""

    id: Id
    name: TextWords
    kind: str = "building"


class LineWords(Words):
    """A line to meters."""

    id: Id
    address: str
    timeout: Duration = 1.0


class MeterWords(Words):
    """A meter as it is installed."""

    id: Id
    name: TextWords
    medium: Medium
    place: Id | None = None
    parent: Id | None = None
    profile: str | None = None
    line: Id | None = None
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    every: Duration = 60.0
    ct: Ratio = 1.0
    pt: Ratio = 1.0
    reversed: bool = False
    read: list[QuantityName] = []
    plausible: dict[QuantityName, Bounds] = {}


class SiteWords(Words):
    """What may stand in a site file."""

    site: Id
    name: TextWords
    zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    places: list[PlaceWords] = []
    lines: list[LineWords] = []
    meters: list[MeterWords] = []


def read_site(path: Path) -> tuple[Site, Document]:
    """The site of a file, and the document to tell further faults by line.

    ConfigurationError lists all that is wrong: first what single words say, then what does not fit together.
    """
    document = open_document(path)
    site = site_of(checked(document, SiteWords))
    faults = [document.fault(way, text) for way, text in site.faults()]
    if faults:
        raise ConfigurationError(faults)
    return site, document


def site_of(words: SiteWords) -> Site:
    """The site that the words describe."""
    return Site(
        words.site,
        words.name.text,
        words.zone,
        tuple(Place(p.id, p.name.text, p.kind) for p in words.places),
        tuple(LineSettings(line.id, line.address, line.timeout) for line in words.lines),
        tuple(_meter(m) for m in words.meters),
    )


def _meter(words: MeterWords) -> Meter:
    return Meter(
        id=words.id,
        name=words.name.text,
        medium=words.medium,
        place=words.place,
        parent=words.parent,
        profile=words.profile,
        line=words.line,
        unit=words.unit,
        interval_s=words.every,
        ct=words.ct,
        pt=words.pt,
        reversed=words.reversed,
        quantities=tuple(words.read),
        plausible=dict(words.plausible),
    )
