"""Each reading is stored once or refused with a reason, whatever is done to the clock of an edge; the good ones bear
instants in the order in which they were taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.clocks import SteppedClock
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import READINGS, MeterReadings, topic
from analytics.consumption.counters import Verdict, steps
from edge.clock import EdgeClock
from edge.clock_memory import ClockMemory
from edge.clock_release import Waiting
from edge.clock_stamps import Stamps
from edge.record import Recorder
from energy.ports import Message
from energy.quantities import Medium
from energy.readings import EPOCH, LAST_MS, Point, Quality, Reason, to_ms
from energy.series import MICRO
from energy.sites import Meter, Text
from gateway.ingest.judge import CONFLICT, FUTURE, TOO_EARLY, Judge
from tests.adapters.readings_memory import MemoryReadings
from tests.analytics.consumption.registers import told

NOW = datetime(2026, 3, 2, 4, 0, 0, tzinfo=UTC)
POINT = Point("m", "active_energy_import")
METER = Meter("m", Text("", ""), Medium.ELECTRICITY)


@dataclass
class Journey:
    """An edge whose clock is set and which is started again, and a gateway whose clock is right.

    The register counts the readings, so that each is known by its value.
    """

    folder: Path
    machine: SteppedClock = field(default_factory=lambda: SteppedClock(NOW))
    true: datetime = NOW
    taken: int = 0
    started: int = 0

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.started += 1
        self.outbox = SqliteOutbox(self.folder / "edge.sqlite")
        self.clock = EdgeClock(self.machine, ClockMemory(self.folder / "edge.clock.json"))
        self.stamps = Stamps(self.clock)
        self.waiting = Waiting(self.outbox, self.clock, self.stamps, lambda: self.recorder.waiting)
        self.recorder = Recorder(self.outbox, self.machine, clock_mark=self.waiting.mark)

    async def read(self, count: int) -> None:
        for _ in range(count):
            await self._pass(30)
            self.taken += 1
            now = self.clock.now()
            values: dict[str, float | None] = {POINT.quantity: float(self.taken)}
            self.recorder.take(self.stamps.stamp(MeterReadings("m", 0, values), now, now))
        await self.recorder.flush()
        await self.waiting.release()

    async def _pass(self, seconds: float) -> None:
        await self.machine.step(seconds)
        self.true += timedelta(seconds=seconds)
        self.clock.look()

    async def set_by(self, seconds: float) -> None:
        # No kernel takes a time before 1970.
        self.machine.set_by(max(seconds, (EPOCH - self.machine.now()).total_seconds()))

    async def set_right(self, _: float) -> None:
        self.machine.set_by((self.true - self.machine.now()).total_seconds())

    async def disciplined(self, says: bool | None) -> None:
        self.machine.disciplined = says

    async def restart(self, _: float) -> None:
        self.outbox.close()
        self._start()

    async def reboot(self, behind_s: float) -> None:
        """The power is cut; the clock runs on by its battery, wrong, or has none."""
        self.true += timedelta(seconds=90)
        self.machine = SteppedClock(EPOCH if behind_s == 0 else self.true - timedelta(seconds=behind_s))
        self.machine.boot = f"boot-{self.taken}"
        await self.restart(0)

    async def arrived(self) -> tuple[MemoryReadings, list[tuple[str, float | None]]]:
        """What the gateway stores and what it refuses, with what is still held back let go of at a last start."""
        await self._pass(5000)
        await self.waiting.release()
        store = MemoryReadings()
        messages = [Message(topic("e", READINGS), kept.payload) for kept in self.outbox.after(0, 10_000)]
        judge = Judge([METER])
        judged = judge.judge(messages, to_ms(self.true))
        written = await store.write(judged.columns)
        refused = [(r.reason, r.value) for r in judged.refusals]
        return store, refused + [(CONFLICT, float(judged.columns.value[row])) for row in written.conflicting]


BY_S = [3600, -3600, 300, -300, 0.2, -0.2, 86_400, -7200]
deeds = st.one_of(
    st.tuples(st.just("read"), st.integers(1, 20)),
    st.tuples(st.just("set_by"), st.sampled_from(BY_S)),
    st.tuples(st.just("set_right"), st.just(0)),
    st.tuples(st.just("disciplined"), st.sampled_from([True, False, None])),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("reboot"), st.sampled_from([0, 1, 3600, -3600])),
)


async def travelled(folder: Path, course: list[tuple[str, float]]) -> None:
    journey = Journey(folder)
    try:
        await journey.read(3)
        for deed, how in course:
            await getattr(journey, deed)(how)
            await journey.read(4)
        await journey.set_right(0)
        store, refused = await journey.arrived()
    finally:
        journey.outbox.close()
    rows = await store.readings([POINT], 0, LAST_MS)
    stored = rows.value.tolist()
    assert sorted(stored + [value or 0.0 for _, value in refused]) == [float(n + 1) for n in range(journey.taken)]
    good = rows.value[rows.quality == Quality.GOOD].tolist()
    assert good == sorted(good)
    allowed = {FUTURE, TOO_EARLY} | ({CONFLICT} if journey.started > 1 else set())
    assert {reason for reason, _ in refused} <= allowed


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds, max_size=8))
def test_each_reading_is_stored_once_or_refused_with_a_reason_and_the_good_ones_are_in_order(
    course: list[tuple[str, float]],
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(travelled(Path(folder), course))


async def test_an_hour_on_a_wrong_clock_costs_the_ledger_its_course_and_none_of_its_energy(
    tmp_path: Path,
) -> None:
    journey = Journey(tmp_path)
    await journey.read(120)
    await journey.set_by(3600)
    await journey.read(100)
    await journey.set_by(-3600)
    await journey.disciplined(True)
    await journey.read(120)
    store, refused = await journey.arrived()
    journey.outbox.close()
    rows = await store.readings([POINT], 0, LAST_MS)
    sure = rows.take(rows.reason != Reason.CLOCK_STEPPED.code)
    found = steps(sure.taken_at_ms, np.rint(sure.value * MICRO).astype(np.int64), told(500.0))

    # The 50 minutes are a single step with all their energy; else each reading is one, and nothing is in dispute.
    assert refused == []
    assert set(found.verdict.tolist()) == {Verdict.MEASURED}
    assert int(found.amount.sum()) == 339 * MICRO
    assert sorted(found.amount.tolist())[-2:] == [MICRO, 101 * MICRO]
