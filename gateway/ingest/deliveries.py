"""Which batches of each edge have come, which are missing and asked for, and which never come.

The sequences of an outbox are ranges, kept beside the store and written after it: what is answered is in both. A batch
is stored whether or not its sequence has come before: a disk that lies may make an edge count a sequence twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from adapters.wire import Batch, Lost, Wanted
from energy.ports import Clock, DeliveryLog, Heard, Loss
from energy.readings import to_ms
from energy.senders import share_of
from gateway.api.words import OngoingProblem, TextWords
from gateway.ingest.sequences import Sequences
from gateway.metrics import Metrics

log = structlog.get_logger()

# What a hostile sender can make us remember is bounded.
_MOST_OUTBOXES, _MOST_RANGES, _MOST_ASKED = 16, 2000, 64
_TOLD_FOR_MS = 7 * 86_400_000
_CAUSES = {
    "full": TextWords("现场缓存已满", "its outbox was full"),
    "old": TextWords("在现场缓存中过期", "they grew too old in its outbox"),
    "damaged": TextWords("现场缓存文件损坏", "its outbox was damaged"),
    "disk": TextWords("现场磁盘拒绝写入", "its disk refused them"),
    "stored": TextWords(
        "曾确认入库，但本库中没有记录", "they were answered as stored, and this gateway has no record of it"
    ),
    "replaced": TextWords("现场缓存已更换", "its outbox is another one"),
}


@dataclass(slots=True)
class _Standing:
    """An outbox: what has come of it, by which sequence it was first heard of, and from where on the edge holds all."""

    met_at: int
    come: Sequences = field(default_factory=Sequences)
    held_from: int = 0
    heard_at_ms: int = 0

    def copy(self) -> _Standing:
        return replace(self, come=Sequences(self.come.ranges))


Key = tuple[str, str]


class Deliveries:
    """Follows the sequences of the outboxes of the senders that are this process's own, which it learns by `gain`.
    `take` raises StoreError, and then nothing has changed."""

    def __init__(self, kept: DeliveryLog, clock: Clock, metrics: Metrics, zone: str = "UTC") -> None:
        self._kept, self._clock, self._metrics, self._zone = kept, clock, metrics, ZoneInfo(zone)
        # The outbox heard of last is the last of its edge.
        self._known: dict[str, dict[str, _Standing]] = {}
        self._losses: list[Loss] = []
        self._heard: set[str] = set()
        self._first_gap: dict[Key, tuple[int, int]] = {}

    async def gain(self, shares: Collection[int] | None = None) -> None:
        """Learn what has come of the senders of these shares, or of all."""
        found = await self._kept.outboxes(shares)
        losses = await self._kept.losses(shares)
        self.lose(shares)
        for heard in found:
            standing = _Standing(heard.met_at, Sequences(heard.ranges), heard_at_ms=heard.heard_at_ms)
            self._known.setdefault(heard.edge, {})[heard.outbox] = standing
        self._losses = sorted([*self._losses, *losses], key=lambda loss: -loss.told_at_ms)

    def lose(self, shares: Collection[int] | None = None) -> None:
        """Forget what was known of the senders of these shares, or of all: it goes on elsewhere."""

        def stays(edge: str) -> bool:
            return shares is not None and share_of(edge) not in shares

        self._known = {edge: outboxes for edge, outboxes in self._known.items() if stays(edge)}
        self._losses = [loss for loss in self._losses if stays(loss.edge)]
        self._first_gap = {key: gap for key, gap in self._first_gap.items() if stays(key[0])}

    @property
    def losses(self) -> Sequence[Loss]:
        """What never comes, newest first."""
        return self._losses

    def missing(self, edge: str, outbox: str) -> list[tuple[int, int]]:
        """The sequences of an outbox that have not come though later ones have."""
        standing = self._known.get(edge, {}).get(outbox)
        return standing.come.missing() if standing else []

    def heard(self, edge: str) -> None:
        """The edge is there: what is missing may be asked for."""
        self._heard.add(edge)

    async def take(self, batches: Sequence[tuple[str, Batch]]) -> None:
        """Note what the store holds now, and what the edges say never comes."""
        now_ms = to_ms(self._clock.now())
        touched: dict[Key, _Standing] = {}
        lost: list[Loss] = []
        for edge, batch in batches:
            if batch.outbox is None:
                continue
            key = edge, batch.outbox
            standing = touched.get(key) or self._copy(key, batch)
            touched[key] = standing
            if batch.held_from is not None:
                standing.held_from = max(standing.held_from, batch.held_from)
            if batch.sequence is not None and batch.sequence > 0:
                standing.heard_at_ms = now_ms
                standing.come.add(batch.sequence, batch.sequence)
            lost += [loss for one in batch.lost if (loss := _loss(key, standing, one, now_ms)) is not None]
            _bound(key, standing)
        if touched:
            heard = [Heard(*key, s.met_at, s.heard_at_ms, s.come.ranges) for key, s in touched.items()]
            await self._kept.save(heard, lost)
            await self._took(touched, lost)

    def _copy(self, key: Key, batch: Batch) -> _Standing:
        known = self._known.get(key[0], {}).get(key[1])
        return known.copy() if known else _Standing(met_at=batch.sequence or 0)

    async def _took(self, touched: dict[Key, _Standing], lost: list[Loss]) -> None:
        for (edge, outbox), standing in touched.items():
            self._heard.add(edge)
            outboxes = self._known.setdefault(edge, {})
            before = outboxes.get(outbox)
            if before is None or before.heard_at_ms != standing.heard_at_ms:
                # What only says that something is lost does not make an outbox the newest.
                outboxes.pop(outbox, None)
            outboxes[outbox] = standing
            while len(outboxes) > _MOST_OUTBOXES:
                oldest = next(iter(outboxes))
                del outboxes[oldest]
                await self._kept.forget(edge, oldest)
        for loss in lost:
            self._metrics.lost(loss.cause, loss.readings or 0)
            log.error("readings.lost", **{name: getattr(loss, name) for name in Loss.__slots__})
        self._losses = [*reversed(lost), *self._losses][:10_000]

    # -- what is missing -----------------------------------------------------------------------------------------------

    def greetings(self, shares: Collection[int] | None = None) -> list[tuple[str, Wanted]]:
        """To every edge, or to those of these shares: the gateway is there. Who waits for answers need not wait
        longer."""
        return [
            (edge, Wanted(next(reversed(outboxes)), []))
            for edge, outboxes in self._known.items()
            if shares is None or share_of(edge) in shares
        ]

    def wanted(self) -> list[tuple[str, Wanted]]:
        """What to ask the edges for that have been heard since it was asked last."""
        found: list[tuple[str, Wanted]] = []
        for edge in self._heard & self._known.keys():
            newest = next(reversed(self._known[edge]))
            for outbox, standing in self._known[edge].items():
                ranges = self._overdue((edge, outbox), standing, replaced=outbox != newest)
                if ranges := ranges[:_MOST_ASKED]:
                    found.append((edge, Wanted(outbox, ranges)))
                    self._metrics.asked(sum(to - since + 1 for since, to in ranges))
        self._heard.clear()
        return found

    def _overdue(self, key: Key, standing: _Standing, *, replaced: bool) -> list[tuple[int, int]]:
        """Gaps that do not fill by themselves.

        What lies before all that the edge holds never comes unasked, nor does anything of an outbox that is gone. What
        the edge holds comes by itself, unless the first gap is the same as it was.
        """
        gaps = standing.come.missing()
        before, self_same = self._first_gap.pop(key, None), gaps[0] if gaps else None
        if self_same is None or replaced:
            return gaps
        self._first_gap[key] = self_same
        gone = [(first, min(last, standing.held_from - 1)) for first, last in gaps if first < standing.held_from]
        return gone or ([self_same] if before == self_same else [])

    # -- what is told --------------------------------------------------------------------------------------------------

    def problems(self) -> list[OngoingProblem]:
        """Edges of which readings are lost for good, as long as that is news."""
        since_ms = to_ms(self._clock.now()) - _TOLD_FOR_MS
        news: dict[str, list[Loss]] = {}
        for loss in self._losses:
            if loss.told_at_ms >= since_ms and loss.cause in _CAUSES:
                news.setdefault(loss.edge, []).append(loss)
        return [self._problem(edge, losses) for edge, losses in news.items()]

    def _problem(self, edge: str, losses: Sequence[Loss]) -> OngoingProblem:
        known = [loss.readings for loss in losses if loss.readings is not None]
        causes = [_CAUSES[cause] for cause in dict.fromkeys(loss.cause for loss in losses)]
        more_zh, more_en = (
            ("，另有数量不明的读数", " and an unknown number of others") if len(known) < len(losses) else ("", "")
        )
        span = self._span(losses)
        zh = f"采集端 {edge} 有 {sum(known)} 条读数不会再到{more_zh}{span}：{'；'.join(c.zh for c in causes)}"
        en = f"{sum(known)} readings of edge {edge}{more_en} never come{span}: {'; '.join(c.en for c in causes)}"
        return OngoingProblem("edge.readings_lost", edge, losses[-1].told_at_ms, TextWords(zh, en))

    def _span(self, losses: Sequence[Loss]) -> str:
        instants = [ms for loss in losses for ms in (loss.from_ms, loss.to_ms) if ms]
        if not instants:
            return ""
        first, last = (
            datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._zone) for ms in (min(instants), max(instants))
        )
        return f" ({first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M})"


def _loss(key: Key, standing: _Standing, told: Lost, now_ms: int) -> Loss | None:
    """What an edge says of sequences that are missing; None where they have come, or nobody waits for them."""
    if told.first > told.last or told.first > standing.come.highest:
        return None
    last = min(told.last, standing.come.highest)
    if not standing.come.missing(told.first, last):
        return None
    standing.come.add(max(1, told.first), last)
    if told.cause == "stored" and last <= standing.met_at:
        # Another gateway, or this one before it kept count, has them.
        return None
    return Loss(*key, told.first, last, told.cause, told.readings, told.from_ms, told.to_ms, now_ms)


def _bound(key: Key, standing: _Standing) -> None:
    """A sender that counts in leaps is not followed for ever."""
    while len(standing.come) > _MOST_RANGES:
        gap = standing.come.missing()[0]
        standing.come.add(*gap)
        log.warning("sequences.given_up", edge=key[0], outbox=key[1], first=gap[0], last=gap[1])
