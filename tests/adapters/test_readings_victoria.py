"""What VictoriaMetrics does not promise, and the store over it does: a real server, killed, away, started again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.batches import Deduplicated
from adapters.readings_victoria import VictoriaReadings, open_victoria
from adapters.series_store import Rows, added
from adapters.stores import open_store, open_stores
from adapters.victoria_client import Sample, VictoriaClient
from adapters.victoria_series import Line, exported, import_body
from adapters.victoria_series import rows_of as rows_of_lines
from adapters.write_ahead import WriteAhead
from energy.errors import EnergyError, StoreError
from energy.ports import Written
from energy.readings import Point, Quality, ReadingColumns
from tests.adapters.reading_stores import BAD, OTHER, POWER, Row, columns, good, rows_of, shown
from tests.chaos.disks import small_disk
from tests.victoria import VictoriaServer, victoria_server
from tests.waiting import PATIENCE_S


@pytest.fixture
def server() -> Iterator[VictoriaServer]:
    with victoria_server() as started:
        yield started


# -- what the server shows late ----------------------------------------------------------------------------------------


def test_what_was_written_lately_is_told_as_it_was_though_the_server_shows_a_part_of_it() -> None:
    exact, rounded = 46.599998474121094, 46.599998
    nothing, instants = np.zeros(2, np.uint8), np.array([1000, 2000])
    # The samples that tell the other digits of the second reading are not shown yet.
    found = {POWER: Rows(instants, np.array([7.0, rounded]), nothing, nothing)}

    added(found, [POWER], Deduplicated(np.zeros(1, np.int32), instants[1:], np.array([exact]), *[nothing[:1]] * 2))

    assert found[POWER].taken_at_ms.tolist() == [1000, 2000]
    assert found[POWER].value.tolist() == [7.0, exact]


def test_one_half_of_a_value_that_is_shown_before_the_other_says_nothing_yet() -> None:
    def line(field: str, value: float) -> tuple[Point, str, Line]:
        return POWER, field, Line({}, [value], [1000])

    found = rows_of_lines([line("value", 46.599998), line("high", 1078418636.0)], 0, 2000)

    assert found[POWER].value.tolist() == [46.599998]


# -- what the server forgets -------------------------------------------------------------------------------------------


async def test_what_was_acknowledged_is_there_though_the_server_was_killed_at_once(
    server: VictoriaServer, tmp_path: Path
) -> None:
    name, rows = server.new_name(), [good(POWER, 1000 * i, i / 3) for i in range(50)] + [(OTHER, 7, *BAD)]
    async with open_victoria(server.address(tmp_path / "journal", name)) as store:
        server.grow_old()
        assert (await store.write(columns(rows))).stored == 51
        server.kill()
        server.start()
        await store.look()
    # Another process, that has nothing of it on its own disk.
    server.show_all()
    async with open_victoria(server.address(tmp_path / "other", name)) as store:
        assert shown(rows_of(await store.readings([POWER, OTHER], 0, 10**9))) == shown(rows)


async def test_what_was_acknowledged_is_there_though_the_server_and_we_were_killed_at_once(
    server: VictoriaServer, tmp_path: Path
) -> None:
    name, journal = server.new_name(), tmp_path / "journal"
    rows = [good(POWER, 1000 * i, i / 3) for i in range(50)]
    async with open_victoria(server.address(journal, name)) as store:
        await store.write(columns(rows))
        server.kill()
    server.start()
    async with open_victoria(server.address(journal, name)) as store:
        assert rows_of(await store.readings([POWER], 0, 10**9)) == rows
        assert await store.write(columns(rows)) == Written(0, 50)
        assert rows_of(await store.latest()) == rows[-1:]


async def test_what_is_handed_over_again_is_told_so_that_a_ledger_looks_at_it_once_more(
    server: VictoriaServer, tmp_path: Path
) -> None:
    told: list[Row] = []

    async def tell(again: ReadingColumns) -> None:
        told.extend(rows_of(again))

    async def refuse(_: ReadingColumns) -> None:
        raise StoreError("the ledger is away")

    name, journal, rows = server.new_name(), tmp_path / "journal", [good(POWER, 1000, 1.5), good(OTHER, 2000, 2.5)]
    async with open_victoria(server.address(journal, name)) as store:
        server.grow_old()
        await store.write(columns(rows))
        await store.tell_of_again(tell)
        assert told == []
        await store.tell_of_again(refuse)
        server.kill()
        server.start()
        with pytest.raises(StoreError):
            await store.look()
        await store.tell_of_again(tell)
        assert told == rows
    async with open_victoria(server.address(journal, name)) as store:
        # Who comes next finds them in the journal, and cannot know what the server made of them.
        await store.tell_of_again(tell)
    assert sorted(told) == sorted(rows * 2)


async def test_a_record_that_was_torn_is_passed_over_and_those_before_it_are_not(tmp_path: Path) -> None:
    journal = WriteAhead(tmp_path, 60.0)
    for record in (b"one", b"two", b"three"):
        journal.keep(record)
    journal.close()
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        left = list(WriteAhead(tmp_path, 60.0).left_behind())
        assert left == [b"one", b"two", b"three"][: len(left)]
        assert len(left) == (length >= 11) + (length >= 22)


async def test_files_of_the_journal_are_let_go_of_when_they_are_old(tmp_path: Path) -> None:
    journal = WriteAhead(tmp_path, 0.0)
    for i in range(5):
        journal.keep(b"%d" % i)
    journal.close()

    assert list(WriteAhead(tmp_path, 0.0).left_behind())[-1] == b"4"
    assert len(list(tmp_path.iterdir())) <= 2


# -- a server that is away ---------------------------------------------------------------------------------------------


async def test_a_server_that_is_away_is_told_and_what_it_refused_can_be_written_again(
    server: VictoriaServer, tmp_path: Path
) -> None:
    rows = [good(POWER, 1000, 1.5)]
    async with open_victoria(server.address(tmp_path)) as store:
        server.kill()
        with pytest.raises(StoreError, match=f":{server.port} cannot be reached"):
            await store.write(columns(rows))
        server.start()
        await store.look()

        assert await store.write(columns(rows)) == Written(1, 0)
        assert rows_of(await store.readings([POWER], 0, 10**9)) == rows


async def test_who_opens_a_store_that_is_away_is_told_where_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        async with open_store(f"victoria+http://127.0.0.1:9?journal={tmp_path}"):
            pass


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("victoria+http://h:8428?journal=j&colour=red", "colour is not known; known are select, name, journal"),
        ("victoria+http://li:secret@h:8428?journal=j", "use .password_file=FILE"),
        ("victoria+ftp://h?journal=j", "write victoria.http://HOST:8428"),
        ("victoria+http://h:8428", "journal is missing"),
        ("victoria+http://h:8428?journal=j&name=a-b", "made of letters, digits and _"),
        ("victoria+http://li@h:8428?journal=j&password_file=/nowhere", "/nowhere cannot be read"),
    ],
)
async def test_an_address_that_cannot_be_meant_is_told_in_words(address: str, said: str) -> None:
    with pytest.raises(EnergyError, match=said) as caught:
        async with open_store(address):
            pass
    assert "secret" not in str(caught.value)


async def test_a_ledger_needs_a_database_of_its_own(server: VictoriaServer, tmp_path: Path) -> None:
    with pytest.raises(EnergyError, match="name a database for the ledger"):
        async with open_stores(server.address(tmp_path)):
            pass


# -- what it rounds ----------------------------------------------------------------------------------------------------


def test_points_with_a_sample_each_are_written_as_those_with_several_are() -> None:
    names = ["m1", "a.b", "表", 'a","b', "a\\", '\\"', "a\nb"]
    points = [Point(meter, quantity) for meter in names for quantity in ("active_power", 'x","y')]
    n = len(points)
    one, two = Deduplicated(*_columns_of(n)), Deduplicated(*(np.repeat(column, 2) for column in _columns_of(n)))
    two.taken_at_ms[1::2] += 1
    lines, several = (list(exported("jieneng", import_body("jieneng", points, batch))) for batch in (one, two))

    assert [(point, field) for point, field, _ in lines] == [(point, field) for point, field, _ in several]
    assert [line.values * 2 for *_, line in lines] == [line.values for *_, line in several]
    assert [[t, t + 1] for *_, line in lines for t in line.timestamps] == [line.timestamps for *_, line in several]


def _columns_of(n: int) -> tuple[Any, ...]:
    """A row of each point: values of many digits, bad ones, flags."""
    kinds = np.arange(n, dtype=np.uint8) % 3
    return np.arange(n, dtype=np.int32), 1000 * np.arange(n), np.arange(n) / 3, kinds, kinds


async def test_any_value_is_kept_to_the_last_bit_by_the_server_itself(server: VictoriaServer, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    any_bits = rng.integers(0, 2**63, 2000).view(np.float64)
    values = [
        *any_bits[np.isfinite(any_bits)].tolist(),
        *(float(f"{v:.12g}") for v in 10 ** rng.uniform(-8, 17, 2000)),
        *np.float32(rng.uniform(0, 1e6, 2000)).astype(float).tolist(),
        *(-rng.integers(0, 10**9, 500) / 100).tolist(),
    ]
    rows = [good(POWER, 1000 * i, v) for i, v in enumerate(values)]
    name = server.new_name()
    async with open_victoria(server.address(tmp_path / "one", name)) as store:
        await store.write(columns(rows))
    server.show_all()
    async with open_victoria(server.address(tmp_path / "other", name)) as store:
        found = await store.readings([POWER], 0, 10**12)

    assert found.value.tolist() == values


async def test_points_of_many_meters_and_of_like_names_are_told_apart(server: VictoriaServer, tmp_path: Path) -> None:
    meters = [f"m{i}" for i in range(600)] + ["a.b", "axb", "a-b", "a_b"]
    points = [Point(m, q) for m in meters for q in ("active_power", "active_energy_import")]
    n = len(points)
    batch = ReadingColumns.of(points, range(n), [5000] * n, range(n), np.full(n, int(Quality.UNCERTAIN)))
    name = server.new_name()
    async with open_victoria(server.address(tmp_path / "one", name)) as store:
        await store.write(batch)
    server.show_all()
    async with open_victoria(server.address(tmp_path / "other", name)) as store:
        everything = await store.readings(points, 0, 10**9)
        [(point, _, value, quality, _)] = rows_of(await store.readings([Point("a.b", "active_power")], 0, 10**9))

        assert everything.value.tolist() == list(range(n))
        assert (point.meter, value, quality) == ("a.b", 1200.0, Quality.UNCERTAIN)
        assert sorted(await store.points()) == sorted(points)


# -- what is newest when it is opened ----------------------------------------------------------------------------------


async def test_who_opens_it_knows_the_newest_reading_of_each_point_however_old(
    server: VictoriaServer, tmp_path: Path
) -> None:
    """Of today, of tomorrow, of weeks and years ago, of the first instants; flagged after it was not, and not after it
    was; bad; no number; of many digits."""
    now_ms, day = int(time.time() * 1000), 86_400_000
    newest = {
        "today": (now_ms - 1, 1.5, Quality.GOOD),
        "tomorrow": (now_ms + day, 2.5, Quality.GOOD),
        "weeks": (now_ms - 20 * day, 3.5, Quality.UNCERTAIN),
        "years": (now_ms - 900 * day, 1 / 3, Quality.GOOD),
        "first": (1, 5.5, Quality.GOOD),
        "bad": (now_ms - day, 6.5, Quality.BAD),
        "none": (now_ms - day, float("nan"), Quality.BAD),
        "digits": (now_ms - day, 0.1 + 0.2, Quality.GOOD),
    }
    points = [Point(meter, "active_power") for meter in newest]
    at_ms, value, quality = (list(column) for column in zip(*newest.values(), strict=True))
    before = [2 - q for q in quality]
    n, name = len(points), server.new_name()
    async with open_victoria(server.address(tmp_path / "one", name)) as store:
        await store.write(ReadingColumns.of(points, range(n), [t - 1 for t in at_ms], [np.pi] * n, before))
        await store.write(ReadingColumns.of(points, range(n), at_ms, value, quality))
    server.show_all()
    async with open_victoria(server.address(tmp_path / "other", name)) as store:
        found = await store.latest(points)
        again = await store.write(ReadingColumns.of(points, range(n), at_ms, value, quality))
        other = await store.write(ReadingColumns.of(points, range(n), at_ms, [7.0] * n, quality))

    assert found.taken_at_ms.tolist() == at_ms
    np.testing.assert_array_equal(found.value, value)
    assert found.quality.tolist() == quality
    assert (again.stored, again.repeated) == (0, n)
    assert other.conflicting == list(range(n))


async def test_the_newest_readings_of_many_points_are_asked_for_at_once(
    server: VictoriaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [Point(f"m{i}", q) for i in range(200) for q in ("active_power", "voltage_l1", "current_l1")]
    n, name, now_ms = len(points), server.new_name(), int(time.time() * 1000)
    at_ms = [now_ms - 5000 + i for i in range(n)]
    asked, ask = list[str](), VictoriaClient.query

    async def noted(client: VictoriaClient, expression: str, at_ms: int) -> list[Sample]:
        asked.append(expression)
        return await ask(client, expression, at_ms)

    async with open_victoria(server.address(tmp_path / "one", name)) as store:
        await store.write(ReadingColumns.of(points, range(n), at_ms, range(n)))
    server.show_all()
    monkeypatch.setattr(VictoriaClient, "query", noted)
    async with open_victoria(server.address(tmp_path / "other", name)) as store:
        found = await store.latest(points)

    assert found.value.tolist() == list(range(n))
    assert found.taken_at_ms.tolist() == at_ms
    assert len(asked) == 1


# -- what it throws away -----------------------------------------------------------------------------------------------


async def test_what_the_server_would_throw_away_without_a_word_is_refused_row_by_row(tmp_path: Path) -> None:
    """A server that nobody told how long to keep keeps a month, and nothing that is more than two days ahead."""
    now_ms = int(time.time() * 1000)
    days = [-40, -20, 1, 3]
    rows = [good(POWER, now_ms + day * 86_400_000, float(day)) for day in days]
    with victoria_server("-dedup.minScrapeInterval=1ms") as server:
        name = server.new_name()
        async with open_victoria(server.address(tmp_path / "one", name)) as store:
            written = await store.write(columns(rows))
        server.show_all()
        async with open_victoria(server.address(tmp_path / "other", name)) as store:
            assert rows_of(await store.readings([POWER], 0, 2**47)) == rows[1:3]

    assert (written.stored, written.repeated, written.conflicting) == (2, 0, [])
    assert [row for row, _ in written.refused] == [0, 3]
    assert "31 days (-retentionPeriod)" in written.refused[0][1]
    assert "two days ahead" in written.refused[1][1]


async def test_a_server_whose_disk_is_full_says_so_loses_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    kept: list[int] = []
    with small_disk(tmp_path / "disk", 64) as disk:
        server = VictoriaServer(disk.folder)
        server.start()
        try:
            async with open_victoria(server.address(tmp_path / "journal", "full")) as store:
                kept.append(await _written(store, 0))
                disk.fill()
                # It refuses all, or dies of it, as it happens.
                with pytest.raises(StoreError, match=r"503 Service Unavailable|cannot be reached"):
                    await _until_refused(store, kept)
                disk.free()
                kept.append(await _as_soon_as_taken(server, store, 1000))
                await store.look()
                server.show_all()
            async with open_victoria(server.address(tmp_path / "nothing", "full")) as other:
                found = await other.readings([POWER], 0, 2**47)
        finally:
            server.kill()

    # What was not answered may be there too, whole.
    stored, rows = np.unique(found.value, return_counts=True)
    assert set(kept) <= set(stored.tolist())
    assert len(stored) <= len(kept) + 1
    assert set(rows.tolist()) == {100}


async def _written(store: VictoriaReadings, number: int) -> int:
    await store.write(columns([good(POWER, 100_000 * number + i, float(number)) for i in range(100)]))
    return number


async def _until_refused(store: VictoriaReadings, kept: list[int]) -> None:
    """It looks once a second how much room there is."""
    for number in range(1, 500):
        kept.append(await _written(store, number))
        await asyncio.sleep(0.02)


async def _as_soon_as_taken(server: VictoriaServer, store: VictoriaReadings, number: int) -> int:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if server.ended:
                server.start()
            with suppress(StoreError):
                return await _written(store, number)
            await asyncio.sleep(0.1)
