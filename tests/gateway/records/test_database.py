"""The records are brought to the version of the program, and those of a newer one are left alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, text

from energy.errors import EnergyError, StoreError
from gateway.records.changes import Author, Change, log_changes, logged_changes
from gateway.records.database import HEAD, Records, open_records
from gateway.records.migrate import settings
from gateway.records.schema import METADATA
from gateway.sites.tables import LineRow, MeterRow, SiteRow
from tests.databases import NewDatabase

AUTHOR = Author("li", "a letter", 1000)


def test_the_newest_revision_is_the_one_that_the_program_looks_for() -> None:
    assert ScriptDirectory.from_config(settings()).get_current_head() == HEAD


async def test_an_empty_folder_becomes_a_database_with_all_tables(records: Records) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with records.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_file_is_set_up_to_be_shared(tmp_path: Path) -> None:
    async with open_records(f"sqlite:{tmp_path / 'records.sqlite'}") as records, records.reading() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"


async def test_references_are_checked(records: Records) -> None:
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        async with records.writing() as connection:
            await connection.execute(insert(LineRow).values(site="nowhere", id="a", address="tcp://a", timeout_s=1.0))


async def test_references_between_meters_and_lines_are_checked_when_all_is_written(records: Records) -> None:
    meter: dict[str, object] = {"site": "s", "id": "m", "name_zh": "表", "name_en": "m", "medium": "water"}
    meter |= {"line": "nowhere", "unit": 1, "interval_s": 60.0, "ct": 1.0, "pt": 1.0, "reversed": False}
    meter |= {"quantities": [], "plausible": {}, "registers": {}}
    said = []

    async def write() -> None:
        async with records.writing() as connection:
            await connection.execute(insert(SiteRow).values(id="s", name_zh="", name_en="", zone="Asia/Shanghai"))
            await connection.execute(insert(MeterRow).values(**meter))
            said.append("written")

    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        await write()
    assert said == ["written"]


async def test_a_reader_sees_one_moment_and_keeps_nobody_from_writing(records: Records) -> None:
    counted = text("SELECT count(*) FROM changes")
    async with records.reading() as reader:
        before = (await reader.execute(counted)).scalar()
        async with records.writing() as writer:
            await log_changes(writer, [Change("meter", "a", None, {})], AUTHOR)
        after = (await reader.execute(counted)).scalar()

    assert (before, after) == (0, 0)
    assert len(await logged_changes(records)) == 1


async def test_what_fails_half_way_leaves_nothing(records: Records) -> None:
    async def fail() -> None:
        async with records.writing() as connection:
            await log_changes(connection, [Change("meter", "a", None, {"id": "a"})], AUTHOR)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert await logged_changes(records) == []


def test_opening_again_does_not_need_alembic(new_database: NewDatabase) -> None:
    program = (
        "import asyncio, sys\n"
        "from gateway.records.database import open_records\n"
        "async def main():\n"
        f"    async with open_records({new_database(empty=True)!r}): pass\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout for _ in range(2)]

    assert runs == ["True\n", "False\n"]


async def test_an_address_of_no_known_kind_is_refused() -> None:
    with pytest.raises(EnergyError, match="write sqlite:FILE or postgresql://USER@HOST:PORT/DATABASE"):
        async with open_records("mysql://localhost/jieneng"):
            pass


async def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite"
    file.write_text("not a database at all, but long enough to be looked at" * 20)

    with pytest.raises(StoreError, match="not a database"):
        async with open_records(f"sqlite:{file}"):
            pass


async def test_two_that_write_at_once_both_succeed(new_database: NewDatabase) -> None:
    address = new_database()

    async def write(who: str) -> None:
        async with open_records(address) as records:
            for i in range(20):
                async with records.writing() as connection:
                    await connection.execute(text("SELECT count(*) FROM changes"))
                    await log_changes(connection, [Change("meter", str(i), None, {})], Author(who, "", i))

    async with open_records(address) as records:
        await asyncio.gather(write("one"), write("other"))
        assert len(await logged_changes(records)) == 40


async def test_changes_are_logged_with_who_and_why_and_found_by_what_came_after(records: Records) -> None:
    async with records.writing() as connection:
        changes = [Change("meter", "a", None, {"ct": 1}), Change("meter", "a", {"ct": 1}, {"ct": 2})]
        await log_changes(connection, [*changes, Change("line", "b", {"id": "b"}, None)], AUTHOR, "campus")

    first, second, third = await logged_changes(records)
    assert (first.who, first.why, first.at_ms, first.site) == ("li", "a letter", 1000, "campus")
    assert second.change.fields == [("ct", 1, 2)]
    assert (first.change.before, third.change.after) == (None, None)
    assert await logged_changes(records, after=first.id) == [second, third]
    assert await logged_changes(records, newest=1) == [third]
    assert await logged_changes(records, kinds=["line"]) == [third]


def test_nobody_changes_a_record_without_a_name() -> None:
    with pytest.raises(ValueError, match="who changes a record must be said"):
        Author(" ", "why", 0)
