"""Edges as the API tells them."""

from __future__ import annotations

import msgspec

from gateway.api.words import EdgeStateWord


class EdgeWords(msgspec.Struct):
    """An edge: whether it is there, what waits in its outbox, and which of its meters do not answer.

    `site_version` is the version of its site file that it runs on, `site_wanted` the one that it was handed last, null
    where it was handed none; `site_refused` says why it did not take a newer one.
    """

    edge: str
    state: EdgeStateWord
    since: int
    version: str | None
    outbox_batches: int | None
    outbox_dropped: int | None
    late_ticks: int | None
    meters: int | None
    meters_silent: list[str]
    site_version: str | None
    site_wanted: str | None
    site_refused: str | None


class EdgesAnswer(msgspec.Struct):
    """All edges that have ever reported."""

    edges: list[EdgeWords]
