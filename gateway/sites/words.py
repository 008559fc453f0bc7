"""Sites as the API tells them."""

from __future__ import annotations

import msgspec

from energy.quantities import Kind, Medium
from gateway.api.words import MeterStateWord, TextWords


class PlaceWords(msgspec.Struct):
    """A building, floor or zone."""

    id: str
    name: TextWords
    kind: str


class QuantityWords(msgspec.Struct):
    """A quantity that is measured; `kind` is gauge or counter."""

    id: str
    name: TextWords
    unit: str
    kind: Kind


class SiteAnswer(msgspec.Struct):
    """The site; its days begin in `zone`. `top` is the topmost node that is seen; null where none is."""

    site: str
    name: TextWords
    zone: str
    version: str
    top: str | None
    places: list[PlaceWords]
    quantities: list[QuantityWords]


class MeterWords(msgspec.Struct):
    """A meter. `headline` is the quantity whose curve says most; `parent` measures all of this one too.

    `state` is reporting, late, silent, or unknown where nobody reads it.
    """

    id: str
    name: TextWords
    medium: Medium
    place: str | None
    parent: str | None
    profile: str | None
    interval_s: float | None
    headline: str | None
    quantities: list[str]
    state: MeterStateWord
    last_taken_at: int | None


class MetersAnswer(msgspec.Struct):
    """All meters."""

    meters: list[MeterWords]
