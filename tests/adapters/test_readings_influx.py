"""The store over InfluxDB where the server is full, slow, or refuses: over a stub of its documented answers, and over a
real server what can be provoked there. And its questions, judged by the parser and type checker of Flux."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.influx_client import InfluxAddress, InfluxClient
from adapters.influx_series import Answer, export_query, hourly_task, newest_query, quoted
from adapters.readings_influx import InfluxReadings, open_influx
from adapters.stores import open_store, set_up_influx
from energy.errors import EnergyError, StoreError
from energy.ports import Written
from energy.readings import Point, Quality, ReadingColumns, Reason
from tests.adapters.reading_stores import BAD, OTHER, POWER, columns, good, rows_of, shown
from tests.influx import BUCKET, WORDS_OF_DROP, InfluxServer, StubOfInflux, Trouble, real_influx, stub_of_influx

FLUX = Path(__file__).parents[1] / "flux"


@pytest.fixture
def stub() -> Iterator[StubOfInflux]:
    with stub_of_influx() as served:
        yield served


@pytest.fixture(scope="module")
def influxdb() -> Iterator[InfluxServer]:
    with real_influx() as server:
        yield server


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
async def store(stub: StubOfInflux, waits: list[float]) -> AsyncIterator[InfluxReadings]:
    """A store that writes ten lines at once, and only notes how long it would wait."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    client = InfluxClient(InfluxAddress.parse(stub.address()), sleep, at_once=10)
    made = InfluxReadings(client)
    await made.begin()
    yield made
    await client.close()


def rows(n: int, begin: int = 0) -> ReadingColumns:
    return columns([good(POWER, 1000 * i, i / 3) for i in range(begin, begin + n)])


# -- what it refuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", WORDS_OF_DROP)
async def test_of_a_batch_exactly_the_points_that_are_too_old_are_refused(
    stub: StubOfInflux, store: InfluxReadings, words: str
) -> None:
    stub.kept_from_ms, stub.words_of_drop = 7000, words

    written = await store.write(rows(25))

    assert (written.stored, written.repeated, written.conflicting) == (18, 0, [])
    assert [row for row, _ in written.refused] == [0, 1, 2, 3, 4, 5, 6]
    assert all("retention policy" in why and "dropped=" not in why for _, why in written.refused)
    # Those that are refused together are not tried one by one: of ten the first five, and of the others the first two.
    assert stub.writes == [10, 5, 5, 2, 3, 10, 5]
    assert len(await store.readings([POWER], 0, 10**6)) == 18


async def test_a_batch_that_cannot_be_parsed_for_one_line_is_stored_but_for_that_line(
    stub: StubOfInflux, store: InfluxReadings
) -> None:
    stub.poison = "quantity=active_power value=4.0 "
    batch = [good(OTHER, 1000 * i, i) for i in range(9)]

    written = await store.write(columns(batch))

    assert (written.stored, [row for row, _ in written.refused]) == (8, [4])
    assert rows_of(await store.readings([OTHER], 0, 10**6)) == batch[:4] + batch[5:]


async def test_a_point_of_which_all_is_refused_is_no_point_and_every_row_of_it_is_told(
    stub: StubOfInflux, store: InfluxReadings
) -> None:
    stub.kept_from_ms = 5000

    # All rows of one instant share its fate.
    written = await store.write(columns([good(OTHER, 1, 1.0), good(OTHER, 1, 1.0), good(OTHER, 1, 2.0)]))

    assert (written.stored, written.repeated, written.conflicting) == (0, 0, [])
    assert [row for row, _ in written.refused] == [0, 1, 2]
    assert await store.points() == []
    assert len(await store.latest()) == 0


async def test_a_body_that_is_too_large_is_sent_in_parts(stub: StubOfInflux, store: InfluxReadings) -> None:
    stub.largest_body = 200

    assert await store.write(rows(25)) == Written(25, 0)
    assert max(stub.writes) < 5


async def test_a_server_that_takes_not_even_one_line_has_refused_all(stub: StubOfInflux, store: InfluxReadings) -> None:
    stub.largest_body = 10

    with pytest.raises(StoreError, match="takes not even one reading"):
        await store.write(rows(2))


async def test_batches_are_bounded(stub: StubOfInflux, store: InfluxReadings) -> None:
    await store.write(rows(25))

    assert stub.writes == [10, 10, 5]


# -- what is full, slow, away ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_again_when_it_says_and_the_writer_waits(
    stub: StubOfInflux, store: InfluxReadings, waits: list[float], status: int
) -> None:
    stub.troubles += [
        Trouble(status, "too many", {"Retry-After": "7"}),
        Trouble(status, "too many"),
        Trouble(status, ""),
    ]

    assert await store.write(rows(3)) == Written(3, 0)
    assert waits == [7.0, 2.0, 4.0]


async def test_nobody_waits_longer_than_half_a_minute_at_once(
    stub: StubOfInflux, store: InfluxReadings, waits: list[float]
) -> None:
    stub.troubles += [Trouble(429, "come tomorrow", {"Retry-After": "86400"})]

    assert await store.write(rows(3)) == Written(3, 0)
    assert waits == [30.0]


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (401, "unauthorized access", "refuses: 401 Unauthorized: unauthorized access"),
        (403, "insufficient permissions for write", "refuses: 403"),
        (404, 'bucket "readings" not found', "`jieneng setup` makes the bucket"),
        (400, "org is missing", "refuses: 400 Bad Request: org is missing"),
        (500, "engine: no space left on device", "no space left on device"),
    ],
)
async def test_what_is_wrong_with_the_server_is_told_and_refuses_no_reading(
    stub: StubOfInflux, store: InfluxReadings, waits: list[float], status: int, message: str, said: str
) -> None:
    stub.troubles.append(Trouble(status, message))
    with pytest.raises(StoreError, match=re.escape(said)):
        await store.write(rows(3))

    assert waits == []
    assert await store.write(rows(3)) == Written(3, 0)


async def test_a_server_that_stays_busy_is_told_after_some_seconds(
    stub: StubOfInflux, store: InfluxReadings, waits: list[float]
) -> None:
    stub.troubles += [Trouble(503, "full")] * 4

    with pytest.raises(StoreError, match="refuses: 503 Service Unavailable: full"):
        await store.write(rows(3))
    assert waits == [1.0, 2.0, 4.0]


async def test_what_failed_half_way_keeps_its_first_values_when_others_come(
    stub: StubOfInflux, store: InfluxReadings
) -> None:
    # The first ten arrive, the others do not.
    stub.troubles += [None, Trouble(500, "engine: no space left on device")]
    with pytest.raises(StoreError, match="no space left"):
        await store.write(rows(15))

    written = await store.write(columns([good(POWER, 1000 * i, -1.0) for i in range(15)]))

    assert written == Written(5, 0, list(range(10)))
    found = await store.readings([POWER], 0, 10**6)
    assert found.value.tolist() == [i / 3 for i in range(10)] + [-1.0] * 5
    assert rows_of(await store.latest()) == [good(POWER, 14_000, -1.0)]


async def test_what_had_arrived_before_the_answer_was_lost_is_repeated_and_the_latest(
    stub: StubOfInflux, store: InfluxReadings
) -> None:
    stub.hangs_up = True
    with pytest.raises(StoreError, match="cannot be reached"):
        await store.write(rows(3))
    stub.hangs_up = False

    assert await store.write(rows(3)) == Written(0, 3)
    assert rows_of(await store.latest()) == [good(POWER, 2000, 2 / 3)]


async def test_a_question_that_is_refused_is_a_failure_of_the_store(stub: StubOfInflux, store: InfluxReadings) -> None:
    await store.write(rows(3))
    stub.troubles += [Trouble(413, "too long a question")]

    with pytest.raises(StoreError, match="refuses a question: too long"):
        await store.readings([POWER], 0, 10**6)


async def test_an_answer_that_was_broken_off_is_a_failure_and_no_shorter_answer(
    stub: StubOfInflux, store: InfluxReadings
) -> None:
    await store.write(rows(3))
    stub.cut_off = True

    with pytest.raises(StoreError, match="broke off its answer"):
        await store.readings([POWER], 0, 10**6)


# As InfluxDB begins its answers.
HEAD = (
    b"#datatype,string,long,dateTime:RFC3339,double,string,string,string\r\n"
    b"#group,false,false,false,false,true,true,true\r\n#default,_result,,,,,,\r\n"
    b",result,table,_time,_value,_field,meter,quantity\r\n"
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (HEAD + b",,0,2024-01-01T00:00:00Z,1.5,value,m,active_power\r\n,,0,2024-01-01T00:01", "broke off its answer"),
        (HEAD + b",,0,2024-01-01T00:00:00Z,1.5\r\n", "only a part of its answer"),
        (HEAD + b",,0,2024-01-01T00:00:00Z,,value,m,active_power\r\n", "only a part of its answer"),
        (HEAD + b"\xff\xfe\r\n", "is not InfluxDB"),
        (b"<html>\n<body>Please sign in</body>\n</html>\n", "is not InfluxDB"),
        (b'{"code":"internal"}', "broke off its answer"),
    ],
)
async def test_an_answer_that_is_none_is_a_failure_of_the_store_and_nothing_else(
    stub: StubOfInflux, store: InfluxReadings, said: bytes, told: str
) -> None:
    await store.write(rows(3))
    stub.says = said

    with pytest.raises(StoreError, match=told):
        await store.readings([POWER], 0, 10**6)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_an_answer_may_come_in_any_parts(cuts: list[int]) -> None:
    told = HEAD + (
        b",,0,2024-01-01T00:00:00Z,1.5,value,m,active_power\r\n"
        b',,1,2024-01-01T00:00:01.25Z,2,value,"a ""b"", \xe8\xa1\xa8\nc",active_power\r\n\r\n'
    )
    told += told
    answer = Answer()
    while told:
        size, cuts = cuts[0], cuts[1:] + cuts[:1]
        answer.take(told[:size])
        told = told[size:]

    found = {point.meter: of.value.tolist() for point, of in answer.rows().items()}
    assert found == {"m": [1.5], 'a "b", \u8868\nc': [2.0]}


def test_an_answer_of_millions_of_readings_is_held_in_little_more_than_its_values() -> None:
    line = b",,0,2024-01-01T%02d:%02d:%02dZ,123.456,value,m,active_power\r\n"
    chunk = b"".join(line % (h, m, s) for h in range(24) for m in range(0, 60, 15) for s in range(60))
    n = 40 * chunk.count(b"\n")
    tracemalloc.start()
    try:
        answer = Answer()
        answer.take(HEAD)
        for _ in range(40):
            answer.take(chunk)
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 40 * n
    assert most < 10_000_000


async def test_readings_of_years_are_counted_in_parts_that_fit_into_memory(
    stub: StubOfInflux, store: InfluxReadings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.series_store._FEW", 50)
    monkeypatch.setattr("adapters.series_store._MANY", 100)
    day_ms, start = 86_400_000, 1_600_000_000_000
    # Three years with one reading a day, but for the second, and one that is far older.
    days = [*range(365), *range(730, 1095)]
    asked = columns([good(POWER, start + i * day_ms, 1.0) for i in days] + [good(OTHER, 5, 1.0)])
    for first in range(0, len(asked), 10):
        await store.write(asked.take(np.arange(first, min(first + 10, len(asked)))))
    most = 0
    rows_for = store._rows

    async def counted(*arguments: Any) -> Any:
        nonlocal most
        found = await rows_for(*arguments)
        most = max(most, sum(map(len, found.values())))
        return found

    monkeypatch.setattr(store, "_rows", counted)
    spans = await store.spans([OTHER, POWER], 0)

    assert [spans.index.tolist(), spans.n.tolist()] == [[0, 1], [1, 730]]
    assert [spans.first_ms.tolist(), spans.last_ms.tolist()] == [[5, start], [5, start + 1094 * day_ms]]
    # After a time without readings a part is a year at most.
    assert most <= 366


async def test_who_opens_a_store_that_is_away_is_told_where_it_should_be(stub: StubOfInflux) -> None:
    address = stub.address().replace(stub.url, "http://127.0.0.1:9")
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9/stub org/readings cannot be reached"):
        async with open_store(address):
            pass


async def test_a_wrong_token_and_a_bucket_that_is_not_there_are_told(stub: StubOfInflux) -> None:
    with pytest.raises(StoreError, match="jieneng setup"):
        async with open_store(stub.address(bucket="nowhere")):
            pass
    stub.token_file.write_text("another")
    with pytest.raises(StoreError, match="401 Unauthorized: unauthorized access") as caught:
        async with open_store(stub.address()):
            pass
    assert "another" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("influx+http://h:8086/org/bucket?token_file=t&colour=red", "colour is not known; known are name, token_file"),
        ("influx+http://li:secret@h:8086/org/bucket?token_file=t", "use .token_file=FILE"),
        ("influx+ftp://h/org/bucket?token_file=t", "write influx.http://HOST:8086/ORGANISATION/BUCKET"),
        ("influx+http://h:8086/org?token_file=t", "write influx.http://HOST:8086/ORGANISATION/BUCKET"),
        ("influx+http://h:8086/org/bucket", "token_file is missing"),
        ("influx+http://h:8086/org/bucket?token_file=/nowhere", "/nowhere cannot be read"),
        ("influx+http://h:8086/org/bucket?token_file=t&name=a-b", "made of letters, digits and _"),
        ("influx+https://h:8086/org/bucket?token_file=t&ca=/nowhere", "/nowhere cannot be read"),
        (f"influx+https://h:8086/org/bucket?token_file=t&ca={__file__}", "holds no certificates"),
    ],
)
async def test_an_address_that_cannot_be_meant_is_told_in_words(address: str, said: str) -> None:
    with pytest.raises(EnergyError, match=said) as caught:
        async with open_store(address):
            pass
    assert "secret" not in str(caught.value)


# -- what is kept, here and on a real server ---------------------------------------------------------------------------


@pytest.fixture(params=["stub", "influxdb"])
def server(request: pytest.FixtureRequest) -> InfluxServer:
    made: InfluxServer = request.getfixturevalue(request.param)
    return made


async def test_any_value_is_kept_to_the_last_bit_by_the_server_itself(server: InfluxServer) -> None:
    rng = np.random.default_rng(7)
    any_bits = rng.integers(0, 2**63, 2000).view(np.float64)
    values = [
        *any_bits[np.isfinite(any_bits)].tolist(),
        *np.float32(rng.uniform(0, 1e6, 2000)).astype(float).tolist(),
        *(-rng.integers(0, 10**9, 500) / 100).tolist(),
        5e-324,
        math.inf,
        -math.inf,
    ]
    name = server.new_name()
    async with open_influx(server.address(name)) as store:
        await store.write(columns([good(POWER, 1000 * i, v) for i, v in enumerate(values)] + [(OTHER, 7, *BAD)]))
    async with open_influx(server.address(name)) as store:
        found = await store.readings([POWER], 0, 10**12)
        assert found.value.tolist() == values
        assert shown(rows_of(await store.latest([OTHER]))) == shown([(OTHER, 7, *BAD)])


async def test_bad_values_are_in_a_field_of_their_own_and_come_back(server: InfluxServer) -> None:
    sentinel = (POWER, 1000, 65535.0, int(Quality.BAD), Reason.SENTINEL.code)
    doubtful = (POWER, 2000, 5.0, int(Quality.UNCERTAIN), Reason.CLOCK_NOT_SET.code)
    name = server.new_name()
    async with open_influx(server.address(name)) as store:
        await store.write(columns([sentinel, doubtful]))
    async with open_influx(server.address(name)) as store:
        assert rows_of(await store.readings([POWER], 0, 10**6)) == [sentinel, doubtful]
        assert rows_of(await store.latest()) == [doubtful]


async def test_points_of_many_meters_and_of_like_names_are_told_apart(server: InfluxServer) -> None:
    meters = [f"m{i}" for i in range(150)] + ["a.b", "axb", "a-b", "a_b"]
    points = [Point(m, q) for m in meters for q in ("active_power", "active_energy_import")]
    n = len(points)
    name = server.new_name()
    async with open_influx(server.address(name)) as store:
        await store.write(ReadingColumns.of(points, range(n), [5000] * n, range(n)))
    async with open_influx(server.address(name)) as store:
        assert (await store.readings(points, 0, 10**9)).value.tolist() == list(range(n))
        assert sorted(await store.points()) == sorted(points)


async def test_a_real_server_refuses_what_is_older_than_its_bucket_keeps_and_nothing_else(
    influxdb: InfluxServer,
) -> None:
    told = set_up_influx(influxdb.address(bucket=f"{influxdb.bucket}-short"), None, 7, 7, dry_run=False)
    assert len(told) == 3
    now_ms = int(time.time()) * 1000
    async with open_influx(influxdb.address(bucket=f"{influxdb.bucket}-short")) as store:
        written = await store.write(columns([good(POWER, 1000, 1.0), good(POWER, now_ms, 2.0)]))

    assert (written.stored, [row for row, _ in written.refused]) == (1, [0])


# -- setting up --------------------------------------------------------------------------------------------------------


def test_setting_up_makes_what_is_missing_and_the_second_time_changes_nothing(stub: StubOfInflux) -> None:
    address = stub.address(name="jieneng", bucket="campus")

    would = set_up_influx(address, None, 90, None, dry_run=True)
    assert stub.changes == []
    assert set_up_influx(address, None, 90, None, dry_run=False) == would
    assert would == [
        "make bucket campus, kept for 90 days",
        "make bucket campus_hourly, kept for ever",
        "make task 'jieneng of campus by the hour', into campus_hourly",
    ]
    assert set_up_influx(address, None, 90, None, dry_run=False) == []


def test_what_a_bucket_keeps_is_changed_only_when_it_is_asked_for(stub: StubOfInflux) -> None:
    address = stub.address(name="jieneng")
    set_up_influx(address, None, None, None, dry_run=False)
    stub.changes.clear()

    assert set_up_influx(address, None, None, None, dry_run=False) == []
    assert set_up_influx(address, None, 400, None, dry_run=False, may_delete=True) == [
        f"keep bucket {BUCKET} for 400 days in place of for ever"
    ]
    assert stub.changes == [f"bucket {BUCKET} changed"]
    assert stub.buckets[0]["retentionRules"] == [{"type": "expire", "everySeconds": 400 * 86_400}]


def test_nothing_is_deleted_that_was_not_said_to_be_and_nothing_is_changed_before(stub: StubOfInflux) -> None:
    address = stub.address(name="jieneng")

    would = set_up_influx(address, None, 90, 30, dry_run=True)
    with pytest.raises(EnergyError, match=f"{would[0]}: this deletes what is older; say --delete-older"):
        set_up_influx(address, None, 90, 30, dry_run=False)
    assert stub.changes == []

    assert set_up_influx(address, None, 90, 30, dry_run=False, may_delete=True) == would
    assert set_up_influx(address, None, 91, 0, dry_run=False) == [
        f"keep bucket {BUCKET} for 91 days in place of for 90 days",
        f"keep bucket {BUCKET}_hourly for ever in place of for 30 days",
    ]


def test_a_task_that_somebody_changed_is_brought_back(stub: StubOfInflux) -> None:
    address = stub.address(name="jieneng")
    set_up_influx(address, None, None, None, dry_run=False)
    was = stub.tasks[0]["flux"]
    stub.tasks[0]["flux"] = "// nothing"

    assert set_up_influx(address, None, None, None, dry_run=False) == [f"change task 'jieneng of {BUCKET} by the hour'"]
    assert stub.tasks[0]["flux"] == was


def test_a_token_that_may_not_set_up_is_told(stub: StubOfInflux, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("another")
    with pytest.raises(StoreError, match="refuses: 401"):
        set_up_influx(stub.address(), tmp_path / "token", None, None, dry_run=False)


# -- Flux --------------------------------------------------------------------------------------------------------------


def judged(*scripts: str) -> list[dict[str, Any]]:
    """What the parser and type checker of Flux says of scripts; skipped where it is not installed."""
    node = shutil.which("node")
    if node is None or not (FLUX / "node_modules").exists():
        pytest.skip("the checker of Flux is not installed: npm ci --prefix tests/flux")
    command = [node, "--no-warnings", "--experimental-wasm-modules", str(FLUX / "check.mjs")]
    done = subprocess.run(command, input=json.dumps(scripts), capture_output=True, text=True, timeout=60, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_every_question_is_valid_flux_and_the_checker_can_say_no() -> None:
    asked = [
        newest_query("readings", "jieneng"),
        export_query("readings", "jieneng", [POWER], 0, 1),
        export_query("b", "n", [Point(f"m{i}", "active_power") for i in range(100)], 1_700_000_000_123, 2**62 // 10**7),
        hourly_task("a title", "readings", "jieneng", "readings_hourly"),
    ]
    wrong = [
        asked[0].replace("last()", "lasst()"),
        asked[1].replace("start:", "begin:"),
        asked[3].replace('"date"', '"d"'),
    ]

    assert [told["valid"] for told in judged(*asked)] == [True] * 4
    assert [told["valid"] for told in judged(*wrong)] == [False] * 3


def test_no_name_can_mean_anything_in_flux() -> None:
    names = ['a"b', "a\\", "${1}", 'x") |> drop(columns: ["_value"]) //', "a\nb", "校园", "\u2028", "$", "\\x41"]

    for name, told in zip(names, judged(*(f"a = {quoted(name)}" for name in names)), strict=True):
        assert told["valid"]
        [assigned] = told["ast"]["files"][0]["body"]
        assert (assigned["init"]["type"], assigned["init"]["value"]) == ("StringLiteral", name)


@given(st.text())
def test_a_quoted_text_holds_no_sign_that_ends_it_or_begins_an_expression(text: str) -> None:
    inner = quoted(text)[1:-1]

    assert not set(inner) & set('"$\n\r')
    assert re.fullmatch(r"([^\\]|\\x[0-9a-f]{2})*", inner)
    assert re.sub(rb"\\x(..)", lambda m: bytes.fromhex(m[1].decode()), inner.encode()).decode() == text
