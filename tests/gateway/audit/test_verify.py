"""Whatever is done to the log behind its back is found, and the first row is told."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from energy.errors import StoreError
from energy.readings import from_ms
from gateway.audit.chain import GENESIS, Action, Row, digest
from gateway.audit.seal import Head
from gateway.audit.service import Audit
from gateway.audit.verify import Finding
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records, open_records

CLOCK = SteppedClock(from_ms(1_795_000_000_000))
COLUMNS = "seq, at_ms, account, address, action, subject, outcome, detail, previous, hash"


async def change(records: Records, key: str, who: str = "li") -> None:
    async with records.writing() as connection:
        await log_changes(connection, [Change("meter", key, None, {"ct": 1})], Author(who, "", 1000))


async def filled(folder: Path, rows: int = 9) -> None:
    async with open_records(f"sqlite:{folder / 'records.sqlite'}") as records:
        for i in range(rows):
            await change(records, str(i))


async def found(folder: Path, *heads: Head) -> Finding:
    async with open_records(f"sqlite:{folder / 'records.sqlite'}") as records:
        return await Audit(records, CLOCK).verify(heads)


def tamper(folder: Path, *statements: str) -> None:
    """As somebody who can write the database, and knows of the triggers."""
    with sqlite3.connect(folder / "records.sqlite") as db:
        for trigger in ("audit_is_not_changed", "audit_is_not_deleted"):
            db.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            db.execute(statement)
    db.close()


def rechain(folder: Path, first: int) -> None:
    """Make the chain right again from a row on, as far as that goes without the key."""
    with sqlite3.connect(folder / "records.sqlite") as db:
        previous = GENESIS
        for values in db.execute(f"SELECT {COLUMNS} FROM audit ORDER BY seq").fetchall():
            row = Row(*values)
            if row.seq >= first:
                row = replace(row, previous=previous)
                db.execute("UPDATE audit SET previous = ?, hash = ? WHERE seq = ?", (previous, digest(row), row.seq))
                previous = digest(row)
            else:
                previous = row.hash
        db.execute("UPDATE audit_heads SET hash = ? WHERE name = 'head'", (previous,))
    db.close()


async def test_a_log_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    await filled(tmp_path)

    finding = await found(tmp_path)
    assert (finding.rows, finding.fault, finding.head.seq) == (9, None, 9)


async def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    assert (await found(tmp_path)).fault is None


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
async def test_what_was_done_to_a_row_is_told(tmp_path: Path, statements: tuple[str, ...], row: int, said: str) -> None:
    await filled(tmp_path)
    tamper(tmp_path, *statements)

    finding = await found(tmp_path)

    assert finding.fault is not None
    assert said in finding.fault
    assert finding.seq == row


async def test_a_chain_made_anew_without_the_key_is_found(tmp_path: Path) -> None:
    await filled(tmp_path)
    tamper(tmp_path, "UPDATE audit SET account = 'eve' WHERE seq = 5")
    rechain(tmp_path, 5)

    finding = await found(tmp_path)
    assert (finding.seq, finding.rows) == (9, 8)
    assert "head kept outside of the database" in (finding.fault or "")
    (tmp_path / "audit.head").unlink()
    assert "was not signed by audit.key" in ((await found(tmp_path)).fault or "")


async def test_what_goes_on_behind_a_broken_seal_says_so_for_ever(tmp_path: Path) -> None:
    await filled(tmp_path)
    tamper(tmp_path, "UPDATE audit SET account = 'eve' WHERE seq = 5")
    rechain(tmp_path, 5)
    (tmp_path / "audit.head").unlink()

    async with open_records(f"sqlite:{tmp_path / 'records.sqlite'}") as records:
        await change(records, "later")
    finding = await found(tmp_path)

    assert finding.seq == 10
    assert "the log had been touched" in (finding.fault or "")


async def test_another_key_is_found(tmp_path: Path) -> None:
    await filled(tmp_path)
    (tmp_path / "audit.key").unlink()

    assert "was not signed" in ((await found(tmp_path)).fault or "")


async def test_a_database_that_was_put_back_is_told_by_the_head_beside_it(tmp_path: Path) -> None:
    await filled(tmp_path)
    shutil.copy(tmp_path / "records.sqlite", tmp_path / "older")
    await filled(tmp_path, 3)
    shutil.copy(tmp_path / "older", tmp_path / "records.sqlite")

    finding = await found(tmp_path)
    assert (finding.seq, finding.rows) == (10, 9)
    assert "row 12 was written once" in (finding.fault or "")


async def test_a_folder_that_was_put_back_is_told_by_a_head_kept_elsewhere(tmp_path: Path) -> None:
    now, older = tmp_path / "now", tmp_path / "older"
    now.mkdir()
    await filled(now)
    shutil.copytree(now, older)
    await filled(now, 3)
    kept = Head.parse((now / "audit.head").read_text(), "here")

    assert (await found(older)).fault is None
    assert (await found(older, kept)).seq == 10
    assert (await found(now, kept)).fault is None


async def test_programs_cannot_change_what_was_written(tmp_path: Path, records: Records) -> None:
    await change(records, "a")
    with sqlite3.connect(tmp_path / "records.sqlite") as db:
        for statement in ("UPDATE audit SET account = 'eve'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
                db.execute(statement)
    db.close()


async def test_eight_that_write_at_once_leave_one_chain(tmp_path: Path) -> None:
    address = f"sqlite:{tmp_path / 'records.sqlite'}"
    async with open_records(address) as records:

        async def write(who: str) -> None:
            for i in range(12):
                await change(records, str(i), who)

        await asyncio.gather(*(write(f"w{n}") for n in range(8)))

    finding = await found(tmp_path)
    assert (finding.rows, finding.fault) == (96, None)


async def test_two_processes_leave_one_chain(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.gateway.audit.test_verify import filled\n"
        "asyncio.run(filled(Path(sys.argv[1]), 40))\n"
    )
    async with open_records(f"sqlite:{tmp_path / 'records.sqlite'}"):
        pass
    started = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(2)]
    assert [await asyncio.to_thread(one.wait) for one in started] == [0, 0]

    finding = await found(tmp_path)
    assert (finding.rows, finding.fault) == (80, None)


async def test_what_fails_half_way_leaves_no_row_and_no_head(tmp_path: Path) -> None:
    async with open_records(f"sqlite:{tmp_path / 'records.sqlite'}") as records:
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


async def test_the_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    await filled(tmp_path, 1)

    assert {(tmp_path / name).stat().st_mode & 0o077 for name in ("audit.key", "audit.head")} == {0}


@pytest.mark.parametrize("spoil", [lambda f: f.write_text("x"), lambda f: f.write_text("00" * 8)])
async def test_a_spoilt_key_is_told_in_words(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    await filled(tmp_path, 1)
    spoil(tmp_path / "audit.key")

    with pytest.raises(Exception, match="put the right one back"):
        await found(tmp_path)


def test_an_action_is_a_word_of_the_list() -> None:
    assert "sign_in" in set(Action)
