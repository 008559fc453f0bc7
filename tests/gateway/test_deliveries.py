"""What is missing is noticed and asked for, what never comes is told, and nothing is noted that is not stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.clocks import SteppedClock
from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import Batch, Lost
from energy.errors import StoreError
from energy.senders import share_of
from gateway.ingest.deliveries import Deliveries
from gateway.metrics import Metrics

CLOCK = SteppedClock(datetime(2026, 11, 21, 8, tzinfo=UTC))


def batch(sequence: int, held_from: int = 1, outbox: str = "a") -> tuple[str, Batch]:
    return "north", Batch([], "boot", sequence, outbox, held_from)


def lost(*told: Lost, outbox: str = "a") -> tuple[str, Batch]:
    return "north", Batch([], "boot", outbox=outbox, lost=list(told))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[SqliteDeliveries]:
    with closing(SqliteDeliveries(tmp_path / "deliveries.sqlite")) as made:
        yield made


@pytest.fixture
def deliveries(kept: SqliteDeliveries) -> Deliveries:
    return Deliveries(kept, CLOCK, Metrics(), "Asia/Shanghai")


def asked(deliveries: Deliveries) -> list[tuple[str, list[tuple[int, int]]]]:
    deliveries.heard("north")
    return [(wanted.outbox, wanted.ranges) for _, wanted in deliveries.wanted()]


async def test_what_the_edge_still_holds_is_awaited_and_what_it_does_not_is_asked_for_at_once(
    deliveries: Deliveries,
) -> None:
    await deliveries.take([batch(1), batch(9, held_from=5)])

    assert deliveries.missing("north", "a") == [(2, 8)]
    assert asked(deliveries) == [("a", [(2, 4)])]


async def test_a_gap_that_stays_the_same_is_asked_for_though_the_edge_holds_it(deliveries: Deliveries) -> None:
    await deliveries.take([batch(1), batch(9, held_from=2)])
    assert asked(deliveries) == []
    await deliveries.take([batch(2)])
    # History goes on.
    assert asked(deliveries) == []
    assert asked(deliveries) == [("a", [(3, 8)])]


async def test_an_edge_that_is_not_heard_is_not_asked(deliveries: Deliveries) -> None:
    await deliveries.take([batch(9, held_from=9)])

    assert asked(deliveries) == [("a", [(1, 8)])]
    assert deliveries.wanted() == []


async def test_what_has_come_is_known_after_a_restart(deliveries: Deliveries, kept: SqliteDeliveries) -> None:
    await deliveries.take([batch(1), batch(2), batch(7)])
    again = Deliveries(kept, CLOCK, Metrics())
    await again.gain()

    assert again.missing("north", "a") == [(3, 6)]
    assert [(edge, wanted.outbox, wanted.ranges) for edge, wanted in again.greetings()] == [("north", "a", [])]


async def test_what_is_known_of_senders_goes_with_their_share(deliveries: Deliveries, kept: SqliteDeliveries) -> None:
    await deliveries.take([batch(1), batch(4), lost(Lost(2, 2, "full", 7))])
    other = Deliveries(kept, CLOCK, Metrics())

    await other.gain({share_of("south")})
    assert (other.missing("north", "a"), other.losses, other.greetings()) == ([], [], [])
    deliveries.lose({share_of("north")})
    assert (deliveries.missing("north", "a"), deliveries.losses, deliveries.problems()) == ([], [], [])
    await other.gain({share_of("north")})
    assert other.missing("north", "a") == [(3, 3)]
    assert [loss.readings for loss in other.losses] == [7]
    assert len(other.greetings({share_of("north")})) == 1
    assert other.greetings({share_of("south")}) == []


async def test_what_never_comes_is_no_longer_asked_for_and_told_once(deliveries: Deliveries) -> None:
    await deliveries.take([batch(1), batch(9, held_from=9)])
    told = lost(Lost(2, 8, "full", 70, 1_795_132_800_000, 1_795_136_400_000))
    await deliveries.take([told])
    await deliveries.take([told])

    assert asked(deliveries) == []
    (loss,) = deliveries.losses
    assert (loss.first, loss.last, loss.readings, loss.cause) == (2, 8, 70, "full")
    (problem,) = deliveries.problems()
    assert (problem.kind, problem.subject) == ("edge.readings_lost", "north")
    assert problem.text.en == (
        "70 readings of edge north never come (2026-11-20 08:00 – 2026-11-20 09:00): its outbox was full"
    )


async def test_how_many_are_lost_is_said_to_be_unknown_where_it_is(deliveries: Deliveries) -> None:
    await deliveries.take([batch(9, held_from=9)])
    await deliveries.take([lost(Lost(1, 3, "disk", 5), Lost(4, 8, "damaged"))])

    (problem,) = deliveries.problems()
    assert problem.text.en == (
        "5 readings of edge north and an unknown number of others never come: its outbox was damaged; "
        "its disk refused them"
    )


async def test_thinned_readings_are_counted_and_no_problem(deliveries: Deliveries) -> None:
    await deliveries.take([batch(9, held_from=9), lost(Lost(1, 8, "thinned", 400))])

    assert deliveries.problems() == []
    assert [loss.readings for loss in deliveries.losses] == [400]


async def test_what_was_stored_before_this_gateway_met_the_edge_is_not_lost(deliveries: Deliveries) -> None:
    await deliveries.take([batch(100, held_from=100)])
    await deliveries.take([lost(Lost(1, 99, "stored"))])

    assert (asked(deliveries), deliveries.losses) == ([], [])


async def test_a_gateway_that_was_set_back_tells_that_it_lacks_what_it_had_answered(deliveries: Deliveries) -> None:
    await deliveries.take([batch(1), batch(2)])
    await deliveries.take([batch(9, held_from=9), lost(Lost(3, 8, "stored"))])

    assert [(loss.first, loss.last, loss.cause) for loss in deliveries.losses] == [(3, 8, "stored")]
    assert len(deliveries.problems()) == 1


async def test_gaps_of_an_outbox_that_another_one_has_followed_are_asked_for(deliveries: Deliveries) -> None:
    await deliveries.take([batch(1), batch(4)])
    await deliveries.take([batch(1, outbox="b")])

    assert asked(deliveries) == [("a", [(2, 3)])]
    await deliveries.take([lost(Lost(2, 3, "replaced"))])
    assert deliveries.missing("north", "a") == []
    # Said of an outbox, it does not make that the newest.
    assert [wanted.outbox for _, wanted in deliveries.greetings()] == ["b"]


async def test_nobody_is_told_lost_what_has_come(deliveries: Deliveries) -> None:
    await deliveries.take([batch(n) for n in range(1, 5)])
    await deliveries.take([lost(Lost(2, 3, "full", 5), Lost(50, 60, "full", 5), Lost(3, 2, "full", 5))])

    assert deliveries.losses == []


async def test_when_the_disk_refuses_nothing_is_noted_and_it_is_taken_again(
    deliveries: Deliveries, kept: SqliteDeliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliveries.take([batch(1), batch(9, held_from=9)])
    told = lost(Lost(2, 8, "full", 70))

    def full(*_: object) -> None:
        raise StoreError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(kept, "save", full)
        with pytest.raises(StoreError):
            await deliveries.take([told])
    assert deliveries.missing("north", "a") == [(2, 8)]
    await deliveries.take([told])
    assert len(deliveries.losses) == 1


async def test_what_a_sender_makes_us_remember_is_bounded(deliveries: Deliveries, kept: SqliteDeliveries) -> None:
    await deliveries.take([batch(2 * n, held_from=1) for n in range(1, 3000)])
    await deliveries.take([batch(1, outbox=f"outbox-{n}") for n in range(100)])
    await deliveries.take([batch(2**53, outbox="far"), lost(Lost(0, 2**53 - 1, "full"), outbox="far")])

    heard = {one.outbox: one for one in await kept.outboxes()}
    assert len(heard) == 16
    assert heard["far"].ranges == [(1, 2**53)]


async def test_a_file_that_is_damaged_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "deliveries.sqlite"
    path.write_bytes(b"dear diary, " * 1000)
    with closing(SqliteDeliveries(path)) as kept:
        await Deliveries(kept, CLOCK, Metrics()).take([batch(1)])
        assert len(await kept.outboxes()) == 1
    assert path.with_name("deliveries.sqlite.damaged-1").exists()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["put", "put", "lose", "send", "send", "ask", "restart"]), max_size=60))
async def test_whatever_gets_lost_on_the_way_the_gateway_knows_of_every_sequence_in_the_end(steps: list[str]) -> None:
    """An edge's outbox and a gateway with messages lost between them: in the end each has come, or is told as lost."""
    with closing(SqliteOutbox(Path(":memory:"))) as outbox, closing(SqliteDeliveries(":memory:")) as kept:
        deliveries = Deliveries(kept, CLOCK, Metrics())
        come: set[int] = set()

        async def send(count: int) -> None:
            for one in outbox.after(0, count):
                await deliveries.take([batch(one.sequence, outbox.held_from, outbox.id)])
                come.add(one.sequence)
                outbox.forget([one.sequence])

        async def ask() -> None:
            deliveries.heard("north")
            for _, wanted in deliveries.wanted():
                for first, last in wanted.ranges:
                    _, gone = outbox.account(first, last)
                    await deliveries.take([lost(*gone, outbox=outbox.id)])

        for step in steps:
            if step == "put":
                outbox.put(0, b"x")
            elif step == "lose":
                outbox.lose(1, 0, 0, "disk")
            elif step == "send":
                await send(2)
            elif step == "ask":
                await ask()
            elif step == "restart":
                deliveries = Deliveries(kept, CLOCK, Metrics())
                await deliveries.gain()
        outbox.put(0, b"last")
        await send(1000)
        for _ in range(3):
            await ask()

        assert deliveries.missing("north", outbox.id) == []
        told = {n for loss in deliveries.losses for n in range(loss.first, loss.last + 1)}
        assert told | come == set(range(1, outbox.last + 1))
        assert told & come == set()
