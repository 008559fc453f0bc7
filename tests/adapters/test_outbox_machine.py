"""Whatever is done to an outbox, in whatever order: no batch is gone without the gateway's word or a reason."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from adapters.outbox_bounds import Bounds, WhenFull
from adapters.outbox_sqlite import SqliteOutbox
from adapters.outbox_thinning import readings_of
from adapters.wire import Batch, Lost, MeterReadings, encode

LIMIT = 10_000
T_MS = 1_795_140_000_000
DAY_MS = 86_400_000


class OutboxMachine(RuleBasedStateMachine):
    """An outbox beside what is known of it: which sequences were put, and which the gateway has stored."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        self.put: dict[int, bytes] = {}
        self.stored: set[int] = set()
        self.marked: set[int] = set()
        self.unput: set[int] = set()
        self.opened = 0
        self.minutes = 0

    @initialize(when_full=st.sampled_from(["thin", "stop"]))
    def begin(self, when_full: WhenFull) -> None:
        self.bounds = Bounds(LIMIT, limit_days=30, when_full=when_full)
        self.path = self.folder / "0" / "outbox.sqlite"
        self.outbox = SqliteOutbox(self.path, bounds=self.bounds)
        self.id = self.outbox.id

    @rule(meters=st.integers(1, 4), many=st.integers(1, 120), clock=st.sampled_from([None, None, None, "boot-7"]))
    def read(self, meters: int, many: int, clock: str | None) -> None:
        for _ in range(many):
            self.minutes += 1
            t_ms = T_MS + self.minutes * 60_000
            batch = Batch(
                [MeterReadings(f"m{i}", t_ms, {"active_energy_import": float(self.minutes)}) for i in range(meters)]
            )
            sequence = self.outbox.put(t_ms, payload := encode(batch), clock=clock)
            assert sequence == max(self.put, default=0) + 1
            self.put[sequence] = payload
            if clock:
                self.marked.add(sequence)

    @rule(wanted=st.lists(st.integers(1, 600), max_size=60))
    def store(self, wanted: list[int]) -> None:
        known = [sequence for sequence in wanted if sequence in self.put]
        self.outbox.forget(wanted)
        self.stored |= set(known)
        self.marked -= set(known)

    @rule()
    def release(self) -> None:
        assert self.outbox.release("boot-7", lambda payload: payload) == len(self.held() & self.marked)
        self.marked.clear()

    @rule(n=st.integers(1, 5))
    def lose(self, n: int) -> None:
        sequence = self.outbox.lose(n, T_MS, T_MS + 1, "disk")
        self.put[sequence] = b""
        self.unput.add(sequence)

    @rule(days=st.integers(0, 40))
    def grow_old(self, days: int) -> None:
        self.outbox.expire(T_MS + days * DAY_MS)

    @rule()
    def close_and_open(self) -> None:
        self.outbox.close()
        self.outbox = SqliteOutbox(self.path, bounds=self.bounds)

    @rule()
    def crash(self) -> None:
        """What another process finds on the disk at this moment."""
        self.opened += 1
        fresh = self.folder / str(self.opened) / "outbox.sqlite"
        fresh.parent.mkdir()
        for suffix in ("", "-wal"):
            if Path(f"{self.path}{suffix}").exists():
                shutil.copy(f"{self.path}{suffix}", f"{fresh}{suffix}")
        self.outbox.close()
        self.path = fresh
        self.outbox = SqliteOutbox(self.path, bounds=self.bounds)

    def account(self) -> tuple[set[int], list[Lost]]:
        """Of all sequences, some at a time."""
        held: set[int] = set()
        lost: list[Lost] = []
        for first in range(1, self.outbox.last + 1, 500):
            found, gone = self.outbox.account(first, min(first + 499, self.outbox.last))
            held |= set(found)
            lost += gone
        return held, lost

    def held(self) -> set[int]:
        return self.account()[0]

    @invariant()
    def nothing_is_gone_without_a_word(self) -> None:
        held, lost = self.account()
        never = {s for one in lost if one.cause != "stored" for s in range(one.first, one.last + 1)}

        assert self.put.keys() - self.stored - held - never == set()
        # What is said to be stored was, or its reason stands there, too.
        said = {s for one in lost if one.cause == "stored" for s in range(one.first, one.last + 1)}
        assert said <= self.stored

    @invariant()
    def it_stays_within_its_bounds(self) -> None:
        if self.bounds.when_full == "thin":
            assert self.outbox.size_bytes <= LIMIT or self.outbox.batches == 1
        else:
            assert self.outbox.stopped or self.outbox.size_bytes < LIMIT
            assert self.outbox.thinned == 0

    @invariant()
    def it_counts_right(self) -> None:
        free = self.outbox.after(0, 10_000)
        held = self.held()

        assert self.outbox.id == self.id
        assert self.outbox.batches == len(held)
        assert {batch.sequence for batch in free} == held - self.marked
        assert self.outbox.held_from == min(held, default=self.outbox.last + 1)
        if not self.marked:
            assert self.outbox.size_bytes == sum(len(batch.payload) for batch in free)

    @invariant()
    def the_newest_register_of_what_is_held_is_the_newest_that_was_put(self) -> None:
        """Thinning changes no total: the last batch of those that are here is as it was put."""
        free = self.outbox.after(0, 10_000)
        if free:
            last = free[-1]
            assert readings_of(self.put[last.sequence])[-1] in readings_of(last.payload)

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.folder)


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
