"""The present of the campus: who reports, what flows, what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from energy.ports import Clock, ReadingStore
from energy.quantities import HEADLINES, Kind, Medium, quantity
from energy.readings import Point, Quality, ReadingColumns, to_ms
from energy.series import Curve, reduce, step_for, with_gaps
from energy.sites import Meter
from gateway.api.words import MeterStateWord, OngoingProblem, TextWords
from gateway.edges.service import Edges
from gateway.live.words import Overview, PlaceTotals, Total
from gateway.sites.service import Directory

_FLOWING = tuple(m for m in Medium if m is not Medium.ENVIRONMENT)
# A meter is late when three of its readings are missing and the way here has had its time.
_LATE_READINGS, _LATE_ALLOWANCE_MS = 3, 10_000

Problems = Callable[[], list[OngoingProblem]]


class Present:
    """Puts the newest readings, the site and the edges together."""

    def __init__(self, store: ReadingStore, directory: Directory, edges: Edges, clock: Clock) -> None:
        self._store, self._directory, self._edges, self._clock = store, directory, edges, clock
        self.of_gateway: Problems = list

    async def last_taken_at(self) -> dict[str, int]:
        """When each meter was read last."""
        return _last_by_meter(await self._store.latest())

    def state(self, meter: Meter, last: int | None) -> MeterStateWord:
        """reporting, late, silent, or unknown where nobody reads the meter and nobody has sent readings of it."""
        if meter.line is None and last is None:
            return "unknown"
        if self._edges.is_silent(meter.id):
            return "silent"
        return "reporting" if self._fresh(meter, last) else "late"

    async def overview(self) -> Overview:
        """The campus at a glance."""
        mains = [m for m in self._directory.mains if _expected(m)]
        by_place: dict[str, list[Meter]] = {p.id: [] for p in self._directory.site.places}
        for meter in self._directory.of_places:
            if meter.place in by_place and _expected(meter):
                by_place[meter.place].append(meter)
        shown = {m.id: m for meters in (mains, *by_place.values()) for m in meters}
        now = await self._now([Point(m.id, m.headline) for m in shown.values() if m.headline is not None])
        return Overview(
            to_ms(self._clock.now()),
            self._totals(mains, now),
            [PlaceTotals(place, self._totals(meters, now)) for place, meters in by_place.items()],
            self._edges.words(),
            self.problems(),
        )

    async def _now(self, points: list[Point]) -> dict[Point, tuple[int, float]]:
        """Instant and value of the newest reading of each point, bad ones left out."""
        latest = await self._store.latest(points)
        columns = (latest.index, latest.taken_at_ms, latest.value, latest.quality)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return {latest.points[i]: (t_ms, value) for i, t_ms, value, quality in rows if quality < Quality.BAD}

    def problems(self) -> list[OngoingProblem]:
        """What is wrong now, the oldest first."""
        silent = [
            OngoingProblem("meter.silent", meter, since, self._silence(meter))
            for meter, (since, _) in self._edges.silent_meters().items()
        ]
        return sorted([*self.of_gateway(), *self._edges.problems(), *silent], key=lambda p: p.since)

    def _silence(self, meter: str) -> TextWords:
        known = self._directory.meters.get(meter)
        zh, en = (known.name.zh, known.name.en) if known else (meter, meter)
        return TextWords(f"{zh} 不应答，读数缺失", f"{en} does not answer; its readings are missing")

    def _totals(self, meters: Iterable[Meter], now: dict[Point, tuple[int, float]]) -> list[Total]:
        by_medium: dict[Medium, list[Meter]] = {}
        for meter in meters:
            by_medium.setdefault(meter.medium, []).append(meter)
        return [self._total(medium, by_medium[medium], now) for medium in _FLOWING if medium in by_medium]

    def _total(self, medium: Medium, meters: Sequence[Meter], now: dict[Point, tuple[int, float]]) -> Total:
        names = [m.headline for m in meters]
        name = next(
            (n for n in HEADLINES[medium] if n in names and quantity(n).kind is Kind.GAUGE), HEADLINES[medium][0]
        )
        values = []
        for meter in meters:
            found = now.get(Point(meter.id, name))
            if found is not None and self._fresh(meter, found[0]):
                values.append(found[1])
        return Total(medium, name, quantity(name).unit, sum(values) if values else None, len(values), len(meters))

    def _fresh(self, meter: Meter, last: int | None) -> bool:
        allowed = _LATE_READINGS * meter.interval_s * 1000 + _LATE_ALLOWANCE_MS
        return last is not None and to_ms(self._clock.now()) - last <= allowed


def _expected(meter: Meter) -> bool:
    """Whether readings of the meter are to come: somebody reads it, or somebody has sent what it measures."""
    return meter.line is not None or bool(meter.quantities)


def _last_by_meter(latest: ReadingColumns) -> dict[str, int]:
    last: dict[str, int] = {}
    for number, t_ms in zip(latest.index.tolist(), latest.taken_at_ms.tolist(), strict=True):
        meter = latest.points[number].meter
        last[meter] = max(last.get(meter, t_ms), t_ms)
    return last


def fit_to_draw(curve: Curve, from_ms: int, to_ms: int, rows: int, *, origin_ms: int) -> Curve:
    """The curve with its gaps marked, in at most `rows` rows."""
    marked = with_gaps(curve)
    if len(marked) <= rows:
        return marked
    # Raw readings that just fitted do not with their gaps.
    value = curve.mean if curve.kind is Kind.GAUGE else curve.last
    step_ms = step_for(from_ms, to_ms, rows)
    return with_gaps(
        reduce(
            curve.point,
            curve.kind,
            curve.t_ms,
            value,
            step_ms=step_ms,
            origin_ms=origin_ms,
            uncertain=curve.uncertain,
        )
    )
