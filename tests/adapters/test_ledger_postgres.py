"""What the ledger in PostgreSQL promises beyond what every ledger does: marks around writes that it cannot see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.binary_copy import packed, unpacked
from adapters.ledger_postgres import PostgresLedger, open_postgres_ledger
from adapters.readings_marked import MarkedReadings
from adapters.stores import open_stores
from energy.errors import EnergyError, NotHeld, StoreError
from energy.hours import Doubt, Hours
from energy.ports import LEDGER_PARTS, Basis, Ledger, Written
from energy.readings import Point, ReadingColumns
from tests.adapters.readings_memory import MemoryReadings
from tests.adapters.test_ledger import EVER, NONE, hours, readings, told
from tests.postgresql import PostgresServer
from tests.waiting import PATIENCE_S


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return postgres.address(postgres.copy("template1"))


class Slow(MemoryReadings):
    """A store that writes when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_write = asyncio.Event(), asyncio.Event()

    async def write(self, columns: ReadingColumns) -> Written:
        self.began.set()
        await self.may_write.wait()
        return await super().write(columns)


class Late(MemoryReadings):
    """A store that shows late what others have written."""

    shown_after_s = 5.0


class Refusing(MemoryReadings):
    """A store that fails, perhaps half way."""

    async def write(self, columns: ReadingColumns) -> Written:
        await super().write(columns)
        raise StoreError("the connection was lost")


class Counting(MemoryReadings):
    """A store that counts the readings it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        found = await super().readings(points, from_ms, to_ms)
        self.told += len(found)
        return found


def name_of(database: str) -> str:
    return urlsplit(database).path.strip("/")


Process = tuple[MarkedReadings, PostgresLedger]


@asynccontextmanager
async def two(database: str, store: MemoryReadings | None = None) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes over one ledger and one store."""
    store = store or MemoryReadings()
    async with open_postgres_ledger(database, store) as one, open_postgres_ledger(database, store) as other:
        yield one, other


async def marked(ledger: Ledger) -> list[tuple[int, int]]:
    marks = await ledger.marks()
    return list(zip(marks.point.tolist(), marks.from_ms.tolist(), strict=True))


# -- marks -------------------------------------------------------------------------------------------------------------


async def test_what_is_being_written_is_marked_when_it_is_there_and_not_settled_before(database: str) -> None:
    store = Slow()
    async with open_postgres_ledger(database, store) as (through, ledger):
        writing = asyncio.create_task(through.write(readings((0, 50, 1.0))))
        await store.began.wait()
        meanwhile = await ledger.marks()
        await ledger.settle(meanwhile.last, {})
        store.may_write.set()
        await writing

        assert meanwhile.point.tolist() == []
        assert await marked(ledger) == [(0, 50)]


async def test_a_write_whose_end_nobody_saw_is_marked_when_the_ledger_is_opened_again(database: str) -> None:
    store = Slow()
    async with open_postgres_ledger(database, store) as (through, _):
        writing = asyncio.create_task(through.write(readings((0, 50, 1.0))))
        await store.began.wait()
    writing.cancel()
    with pytest.raises((asyncio.CancelledError, StoreError)):
        await writing

    async with open_postgres_ledger(database, store) as (_, ledger):
        assert await marked(ledger) == [(0, 50)]


async def test_who_opens_the_ledger_leaves_alone_what_a_living_writer_is_at(database: str) -> None:
    store = Slow()
    async with open_postgres_ledger(database, store) as (through, ledger):
        writing = asyncio.create_task(through.write(readings((0, 50, 1.0))))
        await store.began.wait()
        async with open_postgres_ledger(database, store) as (_, another):
            assert await marked(another) == []
            store.may_write.set()
            await writing

            assert await marked(another) == await marked(ledger) == [(0, 50)]


async def test_a_write_that_failed_is_marked_since_some_of_it_may_be_there(database: str) -> None:
    async with open_postgres_ledger(database, Refusing()) as (through, ledger):
        with pytest.raises(StoreError, match="lost"):
            await through.write(readings((0, 50, 1.0)))

        assert await marked(ledger) == [(0, 50)]


async def test_gauges_mark_nothing(database: str) -> None:
    power = ReadingColumns.of([Point("m", "active_power")], [0], [50], [1.0])
    async with open_postgres_ledger(database, MemoryReadings()) as (through, ledger):
        await through.write(power)

        assert await marked(ledger) == []


async def test_two_that_write_at_once_agree_on_the_numbers_of_the_points(database: str) -> None:
    def mine(name: str) -> Sequence[ReadingColumns]:
        points = [[Point(f"{name}{i}", "volume"), Point(f"both{i}", "volume")] for i in range(10)]
        return [ReadingColumns.of(two, [0, 1], [50, 50], [1.0, 1.0]) for two in points]

    async def write(through: MarkedReadings, name: str) -> None:
        for columns in mine(name):
            await through.write(columns)

    store = MemoryReadings()
    async with open_postgres_ledger(database, store) as one, open_postgres_ledger(database, store) as other:
        await asyncio.gather(write(one[0], "a"), write(other[0], "b"))
        marks = [await ledger.marks() for ledger in (one[1], other[1])]

        assert list(one[1].points) == list(other[1].points)
        assert len(set(one[1].points)) == len(one[1].points) == 30
        assert marks[0].point.tolist() == list(range(30))


# -- the database ------------------------------------------------------------------------------------------------------


async def test_a_connection_that_was_lost_is_made_anew_and_no_mark_is_lost_with_it(
    postgres: PostgresServer, database: str
) -> None:
    kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'jieneng ledger%'"
    store = Slow()
    async with open_postgres_ledger(database, store) as (through, ledger):
        await ledger.revise(NONE, hours((0, 1, 5)))
        writing = asyncio.create_task(through.write(readings((0, 50, 1.0))))
        await store.began.wait()
        assert int(postgres.sql(kill)) >= 2
        # Another one takes what seems to be left behind, and works it in.
        async with open_postgres_ledger(database, store) as (_, another):
            await another.settle((await another.marks()).last, {})
        store.may_write.set()
        await writing

        assert await marked(ledger) == [(0, 50)]
        assert told(await ledger.hours([0], 0, EVER)) == [(0, 1, 5)]
        await through.write(readings((0, 60, 2.0)))


async def test_who_opens_the_ledger_waits_for_nobody_who_writes_hours(postgres: PostgresServer, database: str) -> None:
    name = database.partition("?")[0].rpartition("/")[2]
    writer = await asyncpg.connect(host=str(postgres.folder), port=postgres.port, user="jieneng", database=name)
    async with open_postgres_ledger(database, MemoryReadings()) as (_, ledger):
        await ledger.revise(NONE, hours((0, 1, 5)))
    async with writer.transaction():
        await writer.execute("DELETE FROM ledger.hour_rows")
        async with asyncio.timeout(PATIENCE_S), open_postgres_ledger(database, MemoryReadings()) as (_, ledger):
            assert told(await ledger.hours([0], 0, EVER)) == [(0, 1, 5)]
    await writer.close()


async def test_two_that_make_the_same_range_of_time_at_once_do_not_wait_for_each_other_for_ever(database: str) -> None:
    def rows(point: int, span: int) -> Hours:
        return hours(*((point, span * 3000 + h, 1) for h in range(40)))

    store = MemoryReadings()
    async with open_postgres_ledger(database, store) as one, open_postgres_ledger(database, store) as other:
        for span in range(4):
            # To take rows away, too, is to hold what making a range waits for.
            stale = [rows(point, span - 1) for point in (0, 1)]
            revising = [
                ledger.revise((stale[point].point, stale[point].hour), rows(point, span))
                for point, (_, ledger) in enumerate((one, other))
            ]
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*revising)

        assert len(await one[1].hours([0, 1], 0, EVER)) == 80


async def test_who_wants_the_ledger_alone_has_it_so_or_not_at_all(database: str) -> None:
    store = MemoryReadings()
    async with open_postgres_ledger(database, store):
        with pytest.raises(StoreError, match="other processes have it open; stop every process of the gateway"):
            async with open_postgres_ledger(database, store, alone=True):
                pass
    async with open_postgres_ledger(database, store, alone=True):
        for alone in (False, True):
            with pytest.raises(StoreError, match=r"a command has it for itself|other processes have it open"):
                async with open_postgres_ledger(database, store, alone=alone):
                    pass
    async with open_postgres_ledger(database, store), open_postgres_ledger(database, store):
        pass


# -- a lock whose connection broke -----------------------------------------------------------------------------------

ALL_OF_IT = "SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM ledger.{} t"


@pytest.fixture
def lose(postgres: PostgresServer) -> Callable[[], None]:
    """Break the connections by which processes hold the ledger, and those alone."""
    ended = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE application_name = "

    def do() -> None:
        assert postgres.sql(ended + "'jieneng ledger writer'") == "1"

    return do


def all_there_is(postgres: PostgresServer, database: str) -> list[str]:
    tables = ("hour_rows", "days", "doubts", "bases", "progress", "marks", "parts")
    return [postgres.sql(ALL_OF_IT.format(table), name_of(database)) for table in tables]


def writes(ledger: Ledger) -> list[Callable[[], Awaitable[None]]]:
    """All that is written to a ledger."""
    stale = np.array([0], np.int32), np.array([1], np.int32)
    return [
        lambda: ledger.hold([0]),
        lambda: ledger.revise(stale, hours((0, 1, 7))),
        lambda: ledger.doubt({0: 0}, [Doubt(0, "fall", 0, 1)]),
        lambda: ledger.settle(1 << 40, {0: Basis("late", "late")}),
        lambda: ledger.reach({"job": 9}),
    ]


async def test_who_lost_the_lock_to_a_command_writes_nothing_until_he_has_begun_anew(
    postgres: PostgresServer, database: str, lose: Callable[[], None]
) -> None:
    store = MemoryReadings()
    async with open_postgres_ledger(database, store) as (through, ledger):
        await through.write(readings((0, 50, 1.0)))
        await ledger.marks()
        lose()
        async with open_postgres_ledger(database, store, alone=True) as (_, of_command):
            await of_command.revise(NONE, hours((0, 1, 5)))
            left = all_there_is(postgres, database)
            for write in writes(ledger):
                with pytest.raises(NotHeld, match="a command has had it for itself"):
                    await write()
            with pytest.raises(StoreError, match="a command has it for itself"):
                await ledger.marks()
        for write in writes(ledger):
            with pytest.raises(NotHeld):
                await write()
        assert all_there_is(postgres, database) == left

        await ledger.marks()
        for write in writes(ledger):
            await write()
        assert told(await ledger.hours([0], 0, EVER)) == [(0, 1, 7)]


async def test_work_that_began_before_a_command_is_void_though_the_process_came_in_again(
    database: str, lose: Callable[[], None]
) -> None:
    store = MemoryReadings()
    async with open_postgres_ledger(database, store) as (through, ledger):
        await ledger.marks()
        lose()
        async with open_postgres_ledger(database, store, alone=True) as (_, of_command):
            await of_command.revise(NONE, hours((0, 1, 5)))
        # A reading comes in, and the process with it.
        await through.write(readings((0, 50, 1.0)))
        with pytest.raises(NotHeld):
            await ledger.revise(NONE, hours((0, 2, 7)))

        assert await marked(ledger) == [(0, 50)]
        await ledger.revise(NONE, hours((0, 2, 7)))
        assert told(await ledger.hours([0], 0, EVER)) == [(0, 1, 5), (0, 2, 7)]


async def test_a_lost_connection_that_nobody_made_use_of_costs_nothing(database: str, lose: Callable[[], None]) -> None:
    store = MemoryReadings()
    async with open_postgres_ledger(database, store) as (_, ledger):
        await ledger.marks()
        lose()
        for write in writes(ledger):
            await write()
        await ledger.marks()
    async with open_postgres_ledger(database, store, alone=True) as (_, ledger):
        lose()
        for write in writes(ledger):
            await write()


async def test_a_command_that_lost_its_lock_writes_nothing_beside_who_came_in(
    postgres: PostgresServer, database: str, lose: Callable[[], None]
) -> None:
    store = MemoryReadings()
    async with open_postgres_ledger(database, store, alone=True) as (_, of_command):
        await of_command.marks()
        lose()
        async with open_postgres_ledger(database, store) as (_, ledger):
            await ledger.revise(NONE, hours((0, 1, 5)))
            left = all_there_is(postgres, database)
            for write in writes(of_command):
                with pytest.raises(NotHeld, match="others have it open by now"):
                    await write()
                await of_command.marks()
            assert all_there_is(postgres, database) == left


async def test_a_command_waits_for_what_is_just_being_written(postgres: PostgresServer, database: str) -> None:
    store = MemoryReadings()
    async with open_postgres_ledger(database, store):
        pass
    writer = await asyncpg.connect(
        host=str(postgres.folder), port=postgres.port, user="jieneng", database=name_of(database)
    )
    opened = asyncio.Event()

    async def command() -> None:
        async with open_postgres_ledger(database, store, alone=True):
            opened.set()

    waiting = "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with writer.transaction():
        await writer.execute("SELECT era FROM ledger.opened FOR SHARE")
        commanding = asyncio.create_task(command())
        while "UPDATE ledger.opened" not in postgres.sql(waiting):
            await asyncio.sleep(0.02)
        assert not opened.is_set()
    async with asyncio.timeout(PATIENCE_S):
        await commanding
    assert opened.is_set()
    await writer.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://li@127.0.0.1:1/ledger", "cannot be reached"),
        ("postgresql://li@127.0.0.1/ledger?colour=red", "colour is not known"),
        ("mysql://li@127.0.0.1/ledger", "must be of the form postgresql://"),
        ("mysql://li:secret@127.0.0.1/ledger", "li:\\*\\*\\*@"),
    ],
)
async def test_an_address_that_leads_nowhere_is_told_in_words(address: str, said: str) -> None:
    with pytest.raises(EnergyError, match=said) as caught:
        async with open_stores("memory:", address):
            pass
    assert "secret" not in str(caught.value)
    assert "ledger" in str(caught.value)


# -- columns -----------------------------------------------------------------------------------------------------------

SMALL, WHOLE = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(SMALL, WHOLE, st.floats(allow_nan=False))))
def test_columns_come_back_as_they_went(rows: list[tuple[int, int, float]]) -> None:
    kinds: dict[str, type[np.generic]] = {"a": np.int32, "b": np.int64, "c": np.float64}
    columns = {name: np.array([row[i] for row in rows], kind) for i, (name, kind) in enumerate(kinds.items())}

    back = unpacked(packed(columns).getvalue(), kinds)

    assert [back[name].tolist() for name in kinds] == [columns[name].tolist() for name in kinds]


def test_what_is_of_another_shape_is_refused() -> None:
    answer = packed({"a": np.array([1, 2], np.int32)}).getvalue()
    with pytest.raises(ValueError, match="rows of 14"):
        unpacked(answer, {"a": np.int64})
    with pytest.raises(ValueError, match="rows of"):
        unpacked(answer[:-1], {"a": np.int32})


# -- several processes -------------------------------------------------------------------------------------------------


async def test_what_one_process_revises_is_told_to_the_others_and_to_nobody_twice(database: str) -> None:
    async with two(database) as ((_, ledger), (_, other)):
        begun = await other.revisions(None)
        await ledger.revise(NONE, hours((0, 1, 5), (3, 2, 7)))
        await ledger.revise(([3], [2]), hours((3, 9, 7)))
        found = await other.revisions(begun.upto)
        again = await other.revisions(found.upto)

        assert [(r.points.tolist(), r.hours.tolist()) for r in found.made] == [([0, 3], [1, 2]), ([3], [2, 9])]
        assert (list(again.made), again.lost) == ([], False)
        assert list((await ledger.revisions(begun.upto)).made) == []


async def test_who_was_away_for_too_long_is_told_that_there_was_more(database: str, postgres: PostgresServer) -> None:
    async with two(database) as ((_, ledger), (_, other)):
        begun = await other.revisions(None)
        for hour in range(3):
            await ledger.revise(NONE, hours((0, hour, 5)))
        postgres.sql("UPDATE ledger.revisions SET made_at = now() - interval '1 day'", name_of(database))
        await ledger.maintain(0)
        found = await other.revisions(begun.upto)

        assert found.lost
        assert not (await other.revisions(found.upto)).lost


async def test_who_has_lost_a_part_changes_nothing_in_it_any_more(database: str) -> None:
    async with two(database) as ((_, ledger), (_, other)):
        await ledger.hold(range(LEDGER_PARTS))
        await ledger.revise(NONE, hours((0, 1, 5), (1, 1, 6)))
        await other.hold([1])
        for refused in (
            ledger.revise(([1], [1]), hours((1, 1, 60))),
            ledger.settle(0, {1: Basis("r", "")}),
            ledger.settle(0, {}, [0, 1]),
            ledger.doubt({1: 0}, []),
        ):
            with pytest.raises(NotHeld):
                await refused
        await ledger.revise(([0], [1]), hours((0, 1, 50)))
        await other.revise(([1], [1]), hours((1, 1, 61)))

        assert told(await ledger.hours([0, 1], 0, EVER)) == [(0, 1, 50), (1, 1, 61)]
        assert await ledger.bases() == {}


async def test_a_mark_is_there_until_all_parts_have_worked_it_in(database: str, postgres: PostgresServer) -> None:
    left = "SELECT count(*) FROM ledger.marks"
    async with two(database) as ((through, ledger), (_, other)):
        await ledger.hold(range(1, LEDGER_PARTS))
        await other.hold([0])
        await through.write(readings((0, 50, 1.0), (1, 60, 1.0)))
        await ledger.settle((await ledger.marks()).last, {}, range(1, LEDGER_PARTS))
        name = name_of(database)

        assert postgres.sql(left, name) == "1"
        assert await marked(other) == [(0, 50)]
        await other.settle((await other.marks([0])).last, {}, [0])
        assert postgres.sql(left, name) == "0"


async def test_a_mark_of_another_process_waits_until_the_store_shows_what_it_tells_of(
    database: str, postgres: PostgresServer
) -> None:
    """And so does what comes after it: marks are settled in their order."""
    store = Late()
    async with two(database, store) as ((through, ledger), (_, other)):
        await through.write(readings((0, 50, 1.0)))
        seen = [(await one.marks(shown=True)).point.tolist() for one in (ledger, other)]
        late = await other.marks(shown=True)
        postgres.sql("UPDATE ledger.marks SET made_at = made_at - interval '8 s'", name_of(database))
        await through.write(readings((1, 60, 1.0)))
        then = await other.marks(shown=True)

        assert seen == [[0], []]
        assert (then.point.tolist(), then.last > late.last) == ([0], True)
        assert (await other.marks()).point.tolist() == [0, 1]


async def test_what_a_killed_process_was_writing_is_marked_for_those_that_live(
    database: str, postgres: PostgresServer
) -> None:
    store = Slow()
    async with two(database, store) as ((through, _), (_, other)):
        writing = asyncio.create_task(through.write(readings((0, 50, 1.0))))
        await store.began.wait()
        before = (await other.marks(shown=True)).point.tolist()
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jieneng ledger writer' "
            f"AND datname = '{name_of(database)}' ORDER BY backend_start LIMIT 1"
        )
        after = (await other.marks(shown=True)).point.tolist()
        store.may_write.set()
        await writing

        assert (before, after) == ([], [0])


# -- what is remembered ------------------------------------------------------------------------------------------------


async def test_what_was_looked_at_before_is_not_asked_of_the_store_again(database: str) -> None:
    store, day, since = Counting(), 86_400_000, 20_000 * 86_400_000
    async with two(database, store) as ((through, ledger), (other, _)):
        await through.write(readings(*((0, since + i * day // 10, float(i)) for i in range(100))))
        await ledger.counts([0], since)
        assert (len((await ledger.registers([0], since))[0]), store.told) == (100, 100)
        await ledger.settle((await ledger.marks()).last, {})
        await ledger.counts([0], since)
        store.told = 0

        await through.write(readings((0, since + 10 * day, 100.0)))
        await ledger.counts([0], since)
        assert (len((await ledger.registers([0], since))[0]), store.told) == (101, 1)
        await ledger.settle((await ledger.marks()).last, {})

        # Of what another process writes the marks tell.
        await other.write(readings((0, since + 10 * day + 1, 101.0)))
        await ledger.marks()
        assert (await ledger.registers([0], since))[2].tolist()[-2:] == [100.0, 101.0]
        # The new one, and ours before it, which its own mark told of once more.
        assert store.told == 3


async def test_points_that_were_another_processs_are_looked_at_anew(database: str) -> None:
    store, since = Counting(), 20_000 * 86_400_000
    async with two(database, store) as ((through, ledger), (other, their_ledger)):
        await through.write(readings((0, since, 1.0), (0, since + 2, 3.0)))
        await ledger.hold(range(LEDGER_PARTS))
        await ledger.counts([0], since)
        await their_ledger.hold(range(LEDGER_PARTS))
        await other.write(readings((0, since + 1, 2.0)))
        await their_ledger.settle((await their_ledger.marks(range(LEDGER_PARTS))).last, {}, range(LEDGER_PARTS))
        await ledger.hold(range(LEDGER_PARTS))

        await ledger.counts([0], since)
        assert (await ledger.registers([0], since))[2].tolist() == [1.0, 2.0, 3.0]
