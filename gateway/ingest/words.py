"""The quarantine as the API tells it."""

from __future__ import annotations

from typing import Annotated

import msgspec


class QuarantineQuery(msgspec.Struct):
    """How many of the newest to show."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100


class RefusedWords(msgspec.Struct):
    """A reading that was not stored, and why."""

    received_at: int
    edge: str | None
    meter: str | None
    quantity: str | None
    taken_at: int | None
    value: float | None
    reason: str
    detail: str


class QuarantineAnswer(msgspec.Struct):
    """How many were refused since the installation, by reason, and the newest of those that are kept."""

    counts: dict[str, int]
    refused: list[RefusedWords]
