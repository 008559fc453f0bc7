"""A torn or damaged outbox: what can be read of it is kept, nothing false is read, and the edge goes on."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import Batch, MeterReadings, encode

PUT = 60


def payload(n: int) -> bytes:
    # Some are longer than a page, as batches of a fast line are.
    return encode(Batch([MeterReadings(f"meter-{n}", n * 1000, {f"q{i}": float(i) for i in range(n % 7 * 80 + 5)})]))


PAYLOADS = {payload(n): n for n in range(1, PUT + 1)}


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a killed process leaves it: a file, and a log that is not worked into it."""
    folder = tmp_path_factory.mktemp("crashed")
    outbox = SqliteOutbox(folder / "live" / "outbox.sqlite")
    for n in range(1, PUT // 2 + 1):
        outbox.put(n, payload(n))
    with closing(sqlite3.connect(folder / "live" / "outbox.sqlite")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for n in range(PUT // 2 + 1, PUT + 1):
        outbox.put(n, payload(n))
    for suffix in ("", "-wal"):
        shutil.copy(folder / "live" / f"outbox.sqlite{suffix}", folder / f"outbox.sqlite{suffix}")
    outbox.close()
    return folder


def fresh(crashed: Path, folder: Path) -> Path:
    for suffix in ("", "-wal"):
        shutil.copy(crashed / f"outbox.sqlite{suffix}", folder / f"outbox.sqlite{suffix}")
    return folder / "outbox.sqlite"


def read(path: Path) -> list[int]:
    """Which of the batches that were put are there; and that one more can be put, whatever has happened."""
    with closing(SqliteOutbox(path)) as outbox:
        # What is not as it was put is set aside when it is met; a second reading meets none of it.
        outbox.after(0, 1000)
        found = [PAYLOADS[batch.payload] for batch in outbox.after(0, 1000)]
        sequence = outbox.put(0, b"more")
        assert outbox.after(sequence - 1, 10)[0].payload == b"more"
        assert outbox.batches == len(found) + 1
    return found


def cuts(size: int, many: int) -> Iterator[int]:
    yield from range(0, size, max(1, size // many))


def test_a_log_torn_anywhere_loses_only_what_was_written_behind_the_tear(crashed: Path, tmp_path: Path) -> None:
    size = (crashed / "outbox.sqlite-wal").stat().st_size
    before = PUT // 2
    for cut in cuts(size, 60):
        path = fresh(crashed, tmp_path)
        with Path(f"{path}-wal").open("r+b") as file:
            file.truncate(cut)
        found = read(path)

        assert found == list(range(1, len(found) + 1))
        assert len(found) >= before
        before = len(found)


def test_a_file_torn_anywhere_gives_what_is_left_of_it_and_nothing_else(crashed: Path, tmp_path: Path) -> None:
    size = (crashed / "outbox.sqlite").stat().st_size
    counts = []
    for cut in cuts(size, 40):
        folder = tmp_path / str(cut)
        folder.mkdir()
        path = fresh(crashed, folder)
        with path.open("r+b") as file:
            file.truncate(cut)
        found = read(path)

        assert found == sorted(set(found))
        counts.append(len(found))
    # What stands in the log alone is found again whatever happened to the file.
    assert max(counts) > PUT // 2


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1), flips=st.binary(min_size=1, max_size=64), log=st.booleans())
def test_flipped_bytes_are_never_read_as_readings(
    crashed: Path, tmp_path: Path, where: float, flips: bytes, log: bool
) -> None:
    path = fresh(crashed, tmp_path)
    hit = Path(f"{path}-wal") if log else path
    data = bytearray(hit.read_bytes())
    at = int(where * (len(data) - len(flips)))
    data[at : at + len(flips)] = bytes(a ^ b for a, b in zip(data[at : at + len(flips)], flips, strict=True))
    hit.write_bytes(data)

    found = read(path)

    assert found == sorted(set(found))


def test_a_batch_whose_bytes_are_wrong_is_left_out_and_told_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with closing(SqliteOutbox(path)) as outbox:
        for n in (1, 2, 3):
            outbox.put(n * 1000, payload(n))
        identity = outbox.id
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"meter-2"', b'"meter-7"'))

    with closing(SqliteOutbox(path)) as outbox:
        assert [batch.sequence for batch in outbox.after(0, 10)] == [1, 3]
        held, (lost,) = outbox.account(1, 3)

        assert held == [1, 3]
        assert (lost.first, lost.last, lost.cause, lost.readings) == (2, 2, "damaged", None)
        # The file goes on: its sequences are still its own.
        assert (outbox.id, outbox.damaged, outbox.batches) == (identity, 1, 2)


def test_a_file_made_anew_counts_in_a_numbering_of_its_own(crashed: Path, tmp_path: Path) -> None:
    path = fresh(crashed, tmp_path)
    with closing(SqliteOutbox(path)) as outbox:
        before = outbox.id
    Path(f"{path}-wal").unlink(missing_ok=True)
    data = path.read_bytes()
    # The page that tells where the tables begin.
    path.write_bytes(bytes(4096) + data[4096:])

    with closing(SqliteOutbox(path)) as outbox:
        found = [PAYLOADS[batch.payload] for batch in outbox.after(0, 1000)]
        held, lost = outbox.account(1, 1000)

        assert found == list(range(1, PUT + 1))
        assert outbox.id != before
        # That something may be lost has a sequence, so that the gateway misses it, asks, and is told.
        assert [one.cause for one in lost] == ["damaged"]
        assert lost[0].first not in held
    assert path.with_name("outbox.sqlite.damaged-1").exists()


def test_damage_that_shows_while_it_runs_is_mended_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with closing(SqliteOutbox(path)) as outbox:
        for n in range(1, 41):
            outbox.put(n, payload(n))
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            size = file.seek(0, 2)
            for page in range(1, size // 4096):
                file.seek(page * 4096)
                if file.read(1) == b"\x05":
                    # The inner page of the table: nothing below it can be found by the database any more.
                    file.seek(page * 4096)
                    file.write(bytes(4096))
        with closing(sqlite3.connect(path)) as db:
            # Another connection has changed it: what is known of its pages is read again.
            db.execute("PRAGMA user_version = 7")

        assert [PAYLOADS[batch.payload] for batch in outbox.after(0, 1000)] == list(range(1, 41))
        assert outbox.damaged == 1
        assert outbox.failing == ""


def test_an_outbox_of_an_earlier_version_is_read_and_given_an_identity(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE batches (sequence INTEGER PRIMARY KEY AUTOINCREMENT, put_at_ms INTEGER NOT NULL, "
            "payload BLOB NOT NULL)"
        )
        db.execute("INSERT INTO batches (put_at_ms, payload) VALUES (5, ?)", (payload(1),))
        db.commit()

    with closing(SqliteOutbox(path)) as outbox:
        assert [batch.payload for batch in outbox.after(0, 10)] == [payload(1)]
        assert outbox.put(6, payload(2)) == 2
        assert outbox.id


def test_a_disk_that_refuses_at_the_start_is_told_and_tried_again(tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.write_text("in the way")
    outbox = SqliteOutbox(blocked / "outbox.sqlite")
    assert outbox.failing

    blocked.unlink()
    with closing(outbox):
        assert outbox.put(0, b"a") == 1
        assert outbox.failing == ""
