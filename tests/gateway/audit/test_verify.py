"""Whatever is done to the log behind its back is found, and the first row is told."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.clocks import SteppedClock
from energy.errors import EnergyError, StoreError
from energy.readings import from_ms
from gateway.audit.chain import GENESIS, Action, Row, digest
from gateway.audit.seal import Head
from gateway.audit.service import Audit
from gateway.audit.verify import Finding
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records, open_records
from tests.gateway.audit.logs import Log, tamper
from tests.postgresql import PostgresServer

CLOCK = SteppedClock(from_ms(1_795_000_000_000))
COLUMNS = "seq, at_ms, account, address, action, subject, outcome, detail, previous, hash"


async def change(records: Records, key: str, who: str = "li") -> None:
    async with records.writing() as connection:
        await log_changes(connection, [Change("meter", key, None, {"ct": 1})], Author(who, "", 1000))


async def filled(log: Log, rows: int = 9) -> None:
    async with open_records(log.address, log.folder) as records:
        for i in range(rows):
            await change(records, str(i))


async def found(log: Log, *heads: Head) -> Finding:
    async with open_records(log.address, log.folder) as records:
        return await Audit(records, CLOCK).verify(heads)


async def rechain(log: Log, first: int) -> None:
    """Make the chain right again from a row on, as far as that goes without the key."""
    async with open_records(log.address, log.folder) as records, records.writing() as db:
        previous = GENESIS
        for values in (await db.execute(text(f"SELECT {COLUMNS} FROM audit ORDER BY seq"))).all():
            row = Row(*values)
            if row.seq >= first:
                row = replace(row, previous=previous)
                given = {"previous": previous, "hash": digest(row), "seq": row.seq}
                await db.execute(text("UPDATE audit SET previous = :previous, hash = :hash WHERE seq = :seq"), given)
                previous = digest(row)
            else:
                previous = row.hash
        await db.execute(text("UPDATE audit_heads SET hash = :hash WHERE name = 'head'"), {"hash": previous})


async def test_a_log_that_nobody_touched_is_whole(log: Log) -> None:
    await filled(log)

    finding = await found(log)
    assert (finding.rows, finding.fault, finding.head.seq) == (9, None, 9)


async def test_an_empty_log_is_whole(log: Log) -> None:
    assert (await found(log)).fault is None


_SWAP = (
    "UPDATE audit SET seq = -4 WHERE seq = 4",
    "UPDATE audit SET seq = 4 WHERE seq = 6",
    "UPDATE audit SET seq = 6 WHERE seq = -4",
)
_INSERT = (
    f"INSERT INTO audit ({COLUMNS}) SELECT {{seq}}, at_ms, 'eve', {COLUMNS.split(', ', 3)[3]} FROM audit WHERE seq = 3"
)


@pytest.mark.parametrize(
    ("statements", "row", "said"),
    [
        *(
            ((f"UPDATE audit SET {column} = {value} WHERE seq = 5",), 5, "was changed")
            for column, value in (
                ("at_ms", 1),
                ("account", "'eve'"),
                ("address", "'10.0.0.9'"),
                ("action", "'export'"),
                ("subject", "'meter/77'"),
                ("outcome", "'failed'"),
                ("detail", "'{}'"),
                ("previous", f"'{GENESIS}'"),
                ("hash", f"'{GENESIS}'"),
            )
        ),
        (("DELETE FROM audit WHERE seq = 5",), 5, "is missing"),
        (("DELETE FROM audit WHERE seq = 1",), 1, "is missing"),
        (("DELETE FROM audit WHERE seq = 9",), 9, "is missing, and all behind it"),
        (("DELETE FROM audit WHERE seq > 3",), 4, "is missing, and all behind it"),
        (("DELETE FROM audit",), 1, "is missing, and all behind it"),
        (("DELETE FROM audit WHERE seq = 5", "UPDATE audit SET seq = seq - 1 WHERE seq > 5"), 5, "written as row 6"),
        ((_INSERT.format(seq=10),), 10, "was put in"),
        (
            (
                "UPDATE audit SET seq = -seq WHERE seq > 5",
                "UPDATE audit SET seq = 1 - seq WHERE seq < 0",
                _INSERT.format(seq=6),
            ),
            6,
            "was changed",
        ),
        (_SWAP, 4, "was written as row 6"),
        (("UPDATE audit_heads SET seq = 8, hash = (SELECT hash FROM audit WHERE seq = 8) WHERE name = 'head'",), 9, ""),
        (
            ("UPDATE audit_heads SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3) WHERE name = 'base'",),
            3,
            "not signed",
        ),
    ],
)
async def test_what_was_done_to_a_row_is_told(log: Log, statements: tuple[str, ...], row: int, said: str) -> None:
    await filled(log)
    await tamper(log, *statements)

    finding = await found(log)

    assert finding.fault is not None
    assert said in finding.fault
    assert finding.seq == row


async def test_a_chain_made_anew_without_the_key_is_found(log: Log) -> None:
    await filled(log)
    await tamper(log, "UPDATE audit SET account = 'eve' WHERE seq = 5")
    await rechain(log, 5)

    finding = await found(log)
    assert (finding.seq, finding.rows) == (9, 8)
    assert "head kept outside of the database" in (finding.fault or "")
    (log.folder / "audit.head").unlink()
    assert "was not signed by audit.key" in ((await found(log)).fault or "")


async def test_what_goes_on_behind_a_broken_seal_says_so_for_ever(log: Log) -> None:
    await filled(log)
    await tamper(log, "UPDATE audit SET account = 'eve' WHERE seq = 5")
    await rechain(log, 5)
    (log.folder / "audit.head").unlink()

    async with open_records(log.address, log.folder) as records:
        await change(records, "later")
    finding = await found(log)

    assert finding.seq == 10
    assert "the log had been touched" in (finding.fault or "")


async def test_another_key_is_found(log: Log) -> None:
    await filled(log)
    (log.folder / "audit.key").unlink()

    assert "was not signed" in ((await found(log)).fault or "")


async def test_a_database_that_was_put_back_is_told_by_the_head_beside_it(
    log: Log, request: pytest.FixtureRequest
) -> None:
    await filled(log)
    older = _copied(log, log.folder, request)
    await filled(log, 3)
    if older.address.startswith("sqlite"):
        shutil.copy(log.folder / "older", log.folder / "records.sqlite")
        older = log

    finding = await found(older)
    assert (finding.seq, finding.rows) == (10, 9)
    assert "row 12 was written once" in (finding.fault or "")


async def test_a_folder_that_was_put_back_is_told_by_a_head_kept_elsewhere(
    log: Log, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await filled(log)
    folder = tmp_path / "put back"
    folder.mkdir()
    older = _copied(log, folder, request)
    for name in ("audit.key", "audit.head"):
        shutil.copy(log.folder / name, folder)
    await filled(log, 3)
    kept = Head.parse((log.folder / "audit.head").read_text(), "here")

    assert (await found(older)).fault is None
    assert (await found(older, kept)).seq == 10
    assert (await found(log, kept)).fault is None


def _copied(log: Log, folder: Path, request: pytest.FixtureRequest) -> Log:
    """The database as it is now, once more; its key and head are looked for in the folder."""
    if log.address.startswith("sqlite"):
        shutil.copy(log.folder / "records.sqlite", folder / ("older" if folder == log.folder else "records.sqlite"))
        return Log(f"sqlite:{folder / 'records.sqlite'}", folder)
    server: PostgresServer = request.getfixturevalue("postgres")
    return Log(server.address(server.copy(log.address.partition("?")[0].rpartition("/")[2])), folder)


@pytest.mark.parametrize("statement", ["UPDATE audit SET account = 'eve'", "DELETE FROM audit"])
async def test_programs_cannot_change_what_was_written(records: Records, statement: str) -> None:
    await change(records, "a")
    with pytest.raises(StoreError, match="only appended to"):
        async with records.writing() as connection:
            await connection.execute(text(statement))

    assert (await Audit(records, CLOCK).verify()).fault is None


async def test_what_was_kept_long_enough_goes_and_the_rest_can_be_checked(log: Log) -> None:
    await filled(log)
    later = SteppedClock(CLOCK.now() + timedelta(days=200))
    async with open_records(log.address, log.folder) as records:
        assert await Audit(records, later).prune(180) == 9
        await change(records, "after")
        finding = await Audit(records, later).verify()
        assert (finding.rows, finding.fault, finding.head.seq) == (2, None, 11)
        with pytest.raises(StoreError, match="only appended to"):
            async with records.writing() as connection:
                await connection.execute(text("DELETE FROM audit"))


async def test_eight_that_write_at_once_leave_one_chain(log: Log) -> None:
    async with open_records(log.address, log.folder) as records:

        async def write(who: str) -> None:
            for i in range(12):
                await change(records, str(i), who)

        await asyncio.gather(*(write(f"w{n}") for n in range(8)))

    finding = await found(log)
    assert (finding.rows, finding.fault) == (96, None)


async def test_two_processes_leave_one_chain(log: Log) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.gateway.audit.test_verify import Log, filled\n"
        "asyncio.run(filled(Log(sys.argv[1], Path(sys.argv[2])), 40))\n"
    )
    async with open_records(log.address, log.folder):
        pass
    started = [subprocess.Popen([sys.executable, "-c", program, log.address, str(log.folder)]) for _ in range(2)]
    assert [await asyncio.to_thread(one.wait) for one in started] == [0, 0]

    finding = await found(log)
    assert (finding.rows, finding.fault) == (80, None)


async def test_what_fails_half_way_leaves_no_row_and_no_head(log: Log) -> None:
    async with open_records(log.address, log.folder) as records:
        await change(records, "a")
        with pytest.raises(StoreError):
            await _fails(records)
        await change(records, "b")

        finding = await Audit(records, CLOCK).verify()
    assert (finding.rows, finding.fault) == (2, None)


async def _fails(records: Records) -> None:
    async with records.writing() as connection:
        await log_changes(connection, [Change("meter", "x", None, {})], Author("li", "", 1000))
        raise StoreError("the disk is full")


async def test_the_key_is_readable_by_its_owner_alone(log: Log) -> None:
    await filled(log, 1)

    assert {(log.folder / name).stat().st_mode & 0o077 for name in ("audit.key", "audit.head")} == {0}


@pytest.mark.parametrize("spoil", [lambda f: f.write_text("x"), lambda f: f.write_text("00" * 8)])
async def test_a_spoilt_key_is_told_in_words(log: Log, spoil: Callable[[Path], object]) -> None:
    await filled(log, 1)
    spoil(log.folder / "audit.key")

    with pytest.raises(Exception, match="put the right one back"):
        await found(log)


def test_an_action_is_a_word_of_the_list() -> None:
    assert "sign_in" in set(Action)


async def test_the_key_lies_where_it_is_said_to_whatever_the_database(log: Log) -> None:
    named = log.folder / "kept apart"
    async with open_records(log.address, log.folder, named) as records:
        await change(records, "a")

    assert sorted(file.name for file in named.iterdir()) == ["audit.head", "audit.key"]
    assert not (log.folder / "audit.key").exists()


async def test_a_folder_without_the_key_of_the_log_is_refused_before_the_seal_is_broken(log: Log) -> None:
    async with open_records(log.address, log.folder) as records:
        await Audit(records, CLOCK).must_have_its_key()
        await change(records, "a")
        await Audit(records, CLOCK).must_have_its_key()
    async with open_records(log.address, log.folder, log.folder / "elsewhere") as records:
        with pytest.raises(EnergyError, match="--audit-folder"):
            await Audit(records, CLOCK).must_have_its_key()

    assert (await found(log)).fault is None
