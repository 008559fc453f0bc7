"""`jieneng migrate`: from files to servers and back, and nothing is other afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from adapters.intake import QUARANTINE, open_intake
from adapters.stores import open_store, open_stores
from energy.errors import EnergyError, StoreError
from energy.ports import Heard, Loss, Refusal
from energy.readings import Point, Quality, ReadingColumns
from jieneng.__main__ import jieneng
from jieneng.settings import load_settings
from tests.influx import stub_of_influx
from tests.postgresql import PostgresServer
from tests.victoria import VictoriaServer, victoria_server
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
POINTS = [Point(f"m{i:02}", q) for i in range(12) for q in ("active_energy_import", "active_power")]
START = 1_767_196_800_000  # 2026-01-01T00:00:00+08:00
QUARTER = 900_000
NORTH, SOUTH = Heard("north", "a", 1, 1000, [(1, 7)]), Heard("south", "b", 1, 2000, [(1, 3)])
LATER = Heard("south", "b", 1, 3000, [(1, 4)])
LOSS = Loss("north", "a", 8, 9, "full", 20, None, None, 1000)
SITE = """\
site: campus
name: {zh: 园区, en: Campus}
places:
  - {id: house, name: {zh: 楼, en: House}, kind: office}
meters:
"""


@pytest.fixture(scope="module")
def server() -> Iterator[VictoriaServer]:
    with victoria_server() as started:
        yield started


def run(*arguments: object) -> Result:
    return CliRunner().invoke(jieneng, [str(a) for a in arguments])


def settings(folder: Path, name: str, **words: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text("data: var\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in words.items()))
    return file


def filled(folder: Path, days: int = 10) -> Path:
    """A data folder with a site, an event and readings, some of them doubtful; its settings file."""
    site = folder / "site.yaml"
    meters = "".join(
        f"  - {{id: m{i:02}, name: {{zh: 表, en: M}}, medium: electricity, place: house, "
        "read: [active_energy_import, active_power]}\n"
        for i in range(12)
    )
    site.write_text(SITE + meters, encoding="utf-8")
    events = folder / "events.csv"
    events.write_text(
        "meter,kind,at,final_register,initial_register,note\nm03,exchanged,2026-01-04T10:30:00+08:00,184.0,0,new\n"
    )
    file = settings(folder, "files")
    data = ("--data", folder / "var")
    assert run("site", "import", site, "--yes", *data).exit_code == 0
    assert run("events", "import", events, *data).exit_code == 0
    asyncio.run(_write(file, days))
    return file


async def _write(file: Path, days: int) -> None:
    rng = np.random.default_rng(5)
    async with open_stores(*load_settings(file).stores) as (store, _):
        for i, point in enumerate(POINTS):
            t_ms = START + np.arange(days * 96) * QUARTER
            value = np.cumsum(rng.uniform(0, 3, len(t_ms))).round(2) if i % 2 == 0 else rng.uniform(0, 9, len(t_ms))
            quality = np.where(rng.uniform(size=len(t_ms)) < 0.02, int(Quality.UNCERTAIN), 0)
            await store.write(ReadingColumns.of([point], np.zeros(len(t_ms), np.int32), t_ms, value, quality))


async def _receive(file: Path) -> None:
    """Something has come of two outboxes, something never comes, something was refused."""
    at = load_settings(file)
    async with open_intake(at.ledger, at.data / QUARANTINE) as intake:
        await intake.deliveries.save([NORTH, SOUTH], [LOSS])
        await intake.quarantine.put([Refusal(1, "unknown meter", "no such meter")])
        await intake.quarantine.count("duplicate", 3)


async def _receive_more(file: Path) -> None:
    at = load_settings(file)
    async with open_intake(at.ledger, at.data / QUARANTINE) as intake:
        await intake.deliveries.save([LATER])
        await intake.quarantine.put([Refusal(2, "unknown meter", "no such meter")])


async def _received(file: Path) -> tuple[list[Heard], list[Loss], dict[str, int]]:
    at = load_settings(file)
    async with open_intake(at.ledger, at.data / QUARANTINE) as intake:
        assert [r.received_at_ms for r in await intake.quarantine.newest(9)] == [2, 1]
        deliveries = intake.deliveries
        return await deliveries.outboxes(), await deliveries.losses(), await intake.quarantine.counts()


def readings(file: Path) -> list[list[float]]:
    async def read() -> list[list[float]]:
        async with open_store(load_settings(file).store_address) as store:
            found = await store.readings(POINTS, 0, 2**45)
            return [getattr(found, n).tolist() for n in ("index", "taken_at_ms", "value", "quality", "reason")]

    return asyncio.run(read())


def consumed(file: Path) -> str:
    """What all meters used, by day, from the ledger."""
    days = ("--from", "2026-01-01T00:00:00+08:00", "--to", "2026-01-12T00:00:00+08:00", "--json")
    result = run("consumption", "place/house", *days, "--config", file)
    assert result.exit_code == 0, result.output
    return result.output


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(file) as db:
        names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {n: sorted(db.execute(f'SELECT * FROM "{n}"'), key=repr) for n in names if n != "sqlite_sequence"}


def test_there_and_back_again_everything_is_as_it_was(
    tmp_path: Path, server: VictoriaServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Points are counted some at a time, and the last time fewer.
    monkeypatch.setattr("adapters.series_store._COUNTED", 7)
    files = filled(tmp_path)
    database = postgres.address(postgres.copy("template1"))
    servers = settings(
        tmp_path,
        "servers",
        store=f"victoria+http://127.0.0.1:{server.port}?name={server.new_name()}",
        ledger=database,
        records=database,
    )
    back = settings(
        tmp_path, "back", store=f"duckdb:{tmp_path}/back.duckdb", records=f"sqlite:{tmp_path}/var/back.sqlite"
    )
    wanted, used, kept = readings(files), consumed(files), rows(tmp_path / "var" / "records.sqlite")
    asyncio.run(_receive(files))

    there = run("migrate", "--from", files, "--to", servers)
    assert there.exit_code == 0, there.output
    assert "23,040 readings of 24 points are in the new store, bit by bit the same" in there.output
    assert "the ledger of 12 counters was made anew, and each comes to what it did" in there.output
    assert "what has come of 2 outboxes, and 4 refusals, went along" in there.output
    server.show_all()
    assert readings(servers) == wanted
    assert consumed(servers) == used
    asyncio.run(_receive_more(servers))

    again = run("migrate", "--from", servers, "--to", back)
    assert again.exit_code == 0, again.output
    assert readings(back) == wanted
    assert consumed(back) == used
    assert asyncio.run(_received(back)) == ([NORTH, LATER], [LOSS], {"duplicate": 3, "unknown meter": 2})
    assert rows(tmp_path / "var" / "back.sqlite") == kept
    assert run("audit", "verify", "--config", servers).exit_code == 0

    # What is entered next gets the next number, not one that is taken.
    site = (tmp_path / "site.yaml").read_text(encoding="utf-8").replace("en: House", "en: Home")
    (tmp_path / "site.yaml").write_text(site, encoding="utf-8")
    changed = run("site", "import", tmp_path / "site.yaml", "--yes", "--config", servers)
    assert "1 changed" in changed.output


def test_into_influxdb_and_back_again_everything_is_as_it_was(tmp_path: Path, postgres: PostgresServer) -> None:
    files = filled(tmp_path)
    with stub_of_influx() as stub:
        ledger = postgres.address(postgres.copy("template1"))
        influx = settings(tmp_path, "influx", store=stub.address(), ledger=ledger)
        back = settings(tmp_path, "back", store=f"duckdb:{tmp_path}/back.duckdb")
        wanted, used = readings(files), consumed(files)

        there = run("migrate", "--from", files, "--to", influx)
        assert there.exit_code == 0, there.output
        assert "23,040 readings of 24 points are in the new store, bit by bit the same" in there.output
        assert consumed(influx) == used

        again = run("migrate", "--from", influx, "--to", back)
        assert again.exit_code == 0, again.output
    assert readings(back) == wanted


def test_readings_move_alone_under_a_ledger_and_records_that_stay(tmp_path: Path, postgres: PostgresServer) -> None:
    filled(tmp_path, days=0)
    ledger = postgres.address(postgres.copy("template1"))
    old = settings(tmp_path, "old", store=f"duckdb:{tmp_path}/var/old.duckdb", ledger=ledger)
    asyncio.run(_write(old, days=2))
    wanted, used = readings(old), consumed(old)
    asyncio.run(_receive(old))
    with stub_of_influx() as stub:
        influx = settings(tmp_path, "influx", store=stub.address(), ledger=ledger)

        moved = run("migrate", "--from", old, "--to", influx)

        assert moved.exit_code == 0, moved.output
        assert "4,608 readings of 24 points are in the new store, bit by bit the same" in moved.output
        assert "each comes to what it did" in moved.output
        assert "outboxes" not in moved.output
        assert readings(influx) == wanted
        assert consumed(influx) == used
        asyncio.run(_receive_more(influx))
        assert asyncio.run(_received(influx))[2] == {"duplicate": 3, "unknown meter": 2}


def test_a_new_store_that_keeps_less_than_there_is_is_told_and_nothing_is_left_out(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    files = filled(tmp_path, days=2)
    with stub_of_influx() as stub:
        stub.kept_from_ms = 2**41
        ledger = postgres.address(postgres.copy("template1"))
        refused = run("migrate", "--from", files, "--to", settings(tmp_path, "to", store=stub.address(), ledger=ledger))

    assert isinstance(refused.exception, StoreError)
    assert "the new store refuses 4608 readings" in str(refused.exception)
    assert "outside retention policy" in str(refused.exception)


def test_a_move_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, server: VictoriaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = filled(tmp_path, days=100)
    to = settings(tmp_path, "to", store=f"duckdb:{tmp_path}/to.duckdb")
    command = [sys.executable, "-c", _SMALL_STEPS, "migrate", "--from", str(files), "--to", str(to)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    progress = tmp_path / "var" / "migrate.json"
    for _ in range(PATIENCE_S * 100):
        if progress.exists() and json.loads(progress.read_text())["moved"]["points"] >= 5:
            break
        assert process.poll() is None, "it was over before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = json.loads(progress.read_text())["moved"]["points"]

    result = run("migrate", "--from", files, "--to", to)

    assert result.exit_code == 0, result.output
    assert 5 <= done < len(POINTS)
    assert "230,400 readings of 24 points" in result.output
    assert readings(to) == readings(files)
    assert not progress.exists()


_SMALL_STEPS = """
import jieneng.moving
from jieneng.__main__ import main
jieneng.moving._ROWS = 5000
main()
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "name the same stores and records: there is nothing to move"),
        ({"data": "elsewhere"}, "two data folders"),
        ({"store": "mongodb:x"}, "must be of the form"),
    ],
)
def test_what_cannot_be_meant_is_told_in_words(tmp_path: Path, words: dict[str, str], said: str) -> None:
    one = settings(tmp_path, "one")
    other = tmp_path / "other.yaml"
    other.write_text("".join(f"{k}: {v}\n" for k, v in ({"data": "var"} | words).items()))

    result = run("migrate", "--from", one, "--to", other)

    assert isinstance(result.exception, EnergyError)
    assert said in str(result.exception)


class Died(Exception):
    """Stands for a death of the command."""


@pytest.mark.parametrize("at", ["move_records", "_ledger_anew", "_move_intake"])
def test_a_move_that_died_at_any_stage_is_ended_by_the_same_command(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    files = filled(tmp_path, days=2)
    asyncio.run(_receive(files))
    database = postgres.address(postgres.copy("template1"))
    to = settings(tmp_path, "to", store=f"duckdb:{tmp_path}/to.duckdb", ledger=database, records=database)

    async def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr(f"jieneng.moving.{at}", die)
        assert isinstance(run("migrate", "--from", files, "--to", to).exception, Died)
    with monkeypatch.context() as once:
        # Ten million readings are not moved a second time for what comes after them.
        once.setattr("jieneng.moving._move_part", die)
        again = run("migrate", "--from", files, "--to", to)

    assert again.exit_code == 0, again.output
    assert "4,608 readings of 24 points are in the new store, bit by bit the same" in again.output
    assert "rows of" in again.output
    assert "what has come of 2 outboxes, and 4 refusals, went along" in again.output
    assert readings(to) == readings(files)
    assert not (tmp_path / "var" / "migrate.json").exists()


def test_what_came_between_a_death_and_the_next_try_is_moved_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = filled(tmp_path, days=1)
    to = settings(tmp_path, "to", store=f"duckdb:{tmp_path}/to.duckdb")

    async def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr("jieneng.moving._ledger_anew", die)
        assert isinstance(run("migrate", "--from", files, "--to", to).exception, Died)
    # A gauge, which no sum of the ledger would tell of.
    asyncio.run(_occupy(files, ReadingColumns.of(POINTS[1:2], [0], [START + 100 * QUARTER], [7.0])))

    again = run("migrate", "--from", files, "--to", to)

    assert "2,305 readings of 24 points" in again.output, again.output
    assert readings(to) == readings(files)


def test_a_gateway_that_has_the_ledger_open_is_told_before_anything_is_moved(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    filled(tmp_path, days=1)
    ledger = postgres.address(postgres.copy("template1"))
    old = settings(tmp_path, "old", store=f"duckdb:{tmp_path}/var/readings.duckdb", ledger=ledger)
    to = settings(tmp_path, "to", store=f"duckdb:{tmp_path}/to.duckdb")

    async def meanwhile() -> Result:
        async with open_stores(f"duckdb:{tmp_path}/other.duckdb", ledger):
            return await asyncio.to_thread(run, "migrate", "--from", old, "--to", to)

    refused = asyncio.run(meanwhile())

    assert isinstance(refused.exception, StoreError), refused.output
    assert not (tmp_path / "to.duckdb").exists()


def test_a_move_from_what_is_empty_to_what_is_full_is_refused_before_anything_is_changed(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    files = filled(tmp_path, days=1)
    asyncio.run(_receive(files))
    fresh = settings(
        tmp_path,
        "fresh",
        store=f"duckdb:{tmp_path}/fresh.duckdb",
        ledger=postgres.address(postgres.copy("template1")),
    )

    result = run("migrate", "--from", fresh, "--to", files)

    assert isinstance(result.exception, EnergyError)
    assert "holds readings of 24 points that the old one does not, such as m00:active_energy_import" in str(
        result.exception
    )
    assert "--from and --to are not exchanged" in str(result.exception)
    asyncio.run(_receive_more(files))
    assert asyncio.run(_received(files))[2] == {"duplicate": 3, "unknown meter": 2}


def test_readings_of_other_points_or_other_times_in_the_new_store_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jieneng.moving._ROWS", 50)
    files = filled(tmp_path, days=1)

    for i, (point, t_ms) in enumerate([(Point("stranger", "active_power"), START), (POINTS[0], START - 1)]):
        to = settings(tmp_path, f"to{i}", store=f"duckdb:{tmp_path}/to{i}.duckdb")
        asyncio.run(_occupy(to, ReadingColumns.of([point], [0], [t_ms], [1.0])))
        result = run("migrate", "--from", files, "--to", to)
        said = ("such as stranger:active_power", "are not the same in the new store")[i]
        assert said in str(result.exception)


async def _occupy(file: Path, columns: ReadingColumns) -> None:
    async with open_store(load_settings(file).store_address) as store:
        await store.write(columns)


def test_stores_that_hold_something_else_already_are_left_as_they_are(tmp_path: Path) -> None:
    files = filled(tmp_path, days=1)
    to = settings(tmp_path, "to", store=f"duckdb:{tmp_path}/to.duckdb", records=f"sqlite:{tmp_path}/var/to.sqlite")
    asyncio.run(_occupy(to, ReadingColumns.of(POINTS[:1], [0], [START], [-7.0])))
    result = run("migrate", "--from", files, "--to", to)
    assert "are not the same in the new store" in str(result.exception)

    # Records are looked at before hours are spent on readings.
    (tmp_path / "to.duckdb").unlink()
    assert run("site", "import", tmp_path / "site.yaml", "--yes", "--config", to).exit_code == 0
    result = run("migrate", "--from", files, "--to", to)
    assert "holds 1 rows of sites already" in str(result.exception)
    assert not (tmp_path / "to.duckdb").exists()
