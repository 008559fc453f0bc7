"""Records on PostgreSQL: what goes wrong is told in words, secrets are not, and a server may come back."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

from adapters.addresses import shown
from adapters.postgres_address import PostgresAddress
from energy.errors import EnergyError, StoreError
from gateway.records.changes import Author, Change, last_change, log_changes, logged_changes
from gateway.records.database import Records, open_records
from tests.postgresql import PostgresServer, postgres_server
from tests.real_parts import program


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return postgres.copy("template1")


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """One that may be stopped."""
    with postgres_server() as server:
        yield server


async def opened(address: str) -> int:
    async with open_records(address) as records:
        return await last_change(records)


async def refused(address: str) -> str:
    with pytest.raises(StoreError) as told:
        await opened(address)
    return str(told.value)


async def test_the_password_stands_in_a_file_or_in_the_address(
    postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(postgres.password + "\n", encoding="utf-8")
    place = f"127.0.0.1:{postgres.port}/{database}"

    assert await opened(f"postgresql://jieneng@{place}?password_file={file}") == 0
    assert await opened(f"postgresql://jieneng:{quote(postgres.password, safe='')}@{place}") == 0


async def test_a_database_that_lacks_what_is_needed_is_refused_by_its_name_and_left_empty(
    postgres: PostgresServer, database: str
) -> None:
    postgres.sql("DROP EXTENSION plpgsql", database)

    assert "lacks what is needed here" in (said := await refused(postgres.address(database)))
    assert "triggers by functions of plpgsql" in said
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database) == "0"


async def test_what_cannot_be_reached_is_told_in_words_without_the_password(
    postgres: PostgresServer, database: str
) -> None:
    place, who = f"127.0.0.1:{postgres.port}", "jieneng:swordfish"

    wrong = await refused(f"postgresql://{who}@{place}/{database}")
    away = await refused(f"postgresql://{who}@127.0.0.1:1/{database}")
    missing = await refused(f"postgresql://jieneng:{quote(postgres.password, safe='')}@{place}/nothing")
    bare = await refused(f"postgresql://{who}@{place}/{database}?sslmode=require")
    nobody = await refused(postgres.address(database).replace("jieneng@", "nobody@"))

    assert f"PostgreSQL at {place} does not let jieneng in: the password is wrong or missing" in wrong
    assert "PostgreSQL at 127.0.0.1:1 cannot be reached" in away
    assert f"PostgreSQL at {place} has no database 'nothing'" in missing
    assert "createdb --owner jieneng nothing" in missing
    assert "rejected SSL" in bare
    assert 'role "nobody" does not exist' in nobody
    assert all(word not in text for text in (wrong, away, missing, bare) for word in ("swordfish", "secret"))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://li:swordfish@/records", "write postgresql://USER@HOST:PORT/DATABASE"),
        ("postgresql://li:swordfish@db.example", "write postgresql://USER@HOST:PORT/DATABASE"),
        ("postgresql://li:swordfish@db.example:99999/records", "the port is a number up to 65535"),
        ("postgresql://li:swordfish@db.example/records?pasword=swordfish", "pasword is not known; known are"),
        ("postgresql://li:sword@fish@db.example/records?sslmode=yes", "sslmode is one of disable, prefer, require"),
        ("postgres://li:swordfish@db.example/records", "is no address of records"),
        ("postgresql://li@db.example/records?ca=/nowhere", "ca /nowhere: there is no such file"),
        ("postgresql://li@db.example/records?password_file=/nowhere", "password file /nowhere: cannot be read"),
    ],
)
async def test_a_wrong_address_is_told_without_the_password(address: str, told: str) -> None:
    with pytest.raises(EnergyError, match=told) as refusal:
        await opened(address)

    assert "swordfish" not in str(refusal.value)
    assert "fish@" not in str(refusal.value)


def test_an_address_is_shown_and_kept_without_its_password() -> None:
    address = "postgresql://li:p%40ss@db.example:6432/energy%20records?sslmode=verify-full"
    parsed = PostgresAddress.parse(address)

    assert shown(address) == "postgresql://li:***@db.example:6432/energy%20records"
    assert (parsed.password, parsed.database, parsed.port) == ("p@ss", "energy records", 6432)
    assert "p@ss" not in repr(parsed)


async def test_by_tls_only_the_server_whose_certificate_is_believed_is_spoken_to(own_server: PostgresServer) -> None:
    key, certificate = own_server.folder / "key.pem", own_server.folder / "certificate.pem"
    made = [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=db", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(made, check=True, capture_output=True)
    own_server.give(key)
    own_server.stop()
    own_server.start("ssl=on", f"ssl_cert_file={certificate}", f"ssl_key_file={key}")
    own_server.sql("CREATE DATABASE records")
    address = f"postgresql://jieneng:{quote(own_server.password, safe='')}@127.0.0.1:{own_server.port}/records"

    for options in ("", "?sslmode=require", f"?ca={certificate}"):
        async with open_records(address + options) as records, records.reading() as connection:
            encrypted = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            assert (await connection.execute(encrypted)).scalar() is True
    assert "cannot be spoken to by TLS as sslmode=verify-full wants" in await refused(f"{address}?sslmode=verify-full")


async def test_letters_other_than_utf_8_are_refused(postgres: PostgresServer) -> None:
    name = postgres.new_name()
    postgres.sql(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")

    with pytest.raises(EnergyError, match=f"{name} keeps letters as LATIN1; make the database with --encoding=UTF8"):
        await opened(postgres.address(name))


async def test_a_user_who_may_not_make_tables_is_told_so(postgres: PostgresServer, database: str) -> None:
    postgres.sql(f"CREATE ROLE reader_of_{database} LOGIN")

    told = await refused(postgres.address(database).replace("jieneng@", f"reader_of_{database}@"))

    assert "PostgreSQL does not allow it: permission denied for schema public" in told
    assert "the user must own the database" in told


async def test_who_waits_too_long_to_write_is_told_so(
    postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.records.on_postgresql._LOCK_TIMEOUT_S", 1)
    async with open_records(postgres.address(database)) as records:
        async with records.writing() as connection:
            await connection.execute(text("SELECT 1"))
            with pytest.raises(StoreError, match="somebody else has been writing for too long"):
                async with records.writing():
                    pass
        async with records.writing() as connection:
            await log_changes(connection, [Change("meter", "a", None, {})], Author("li", "", 0))


async def test_records_answer_again_after_the_server_was_away(own_server: PostgresServer) -> None:
    own_server.sql("CREATE DATABASE records")
    async with open_records(own_server.address("records")) as records:
        assert await last_change(records) == 0
        own_server.stop()
        with pytest.raises(StoreError, match=r"PostgreSQL at .* cannot be reached"):
            await last_change(records)
        own_server.start()

        async with records.writing() as connection:
            await log_changes(connection, [Change("meter", "a", None, {})], Author("li", "", 0))
        assert await last_change(records) == 1


async def test_a_connection_that_is_lost_half_way_leaves_nothing(postgres: PostgresServer, database: str) -> None:
    ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"

    async def write(records: Records) -> None:
        async with records.writing() as connection:
            await log_changes(connection, [Change("meter", "a", None, {})], Author("li", "", 0))
            await asyncio.to_thread(postgres.sql, ended)
            await connection.execute(text("SELECT 1"))

    async with open_records(postgres.address(database)) as records:
        with pytest.raises(StoreError, match="the connection to PostgreSQL was lost"):
            await write(records)

        assert await last_change(records) == 0


async def test_a_copy_taken_while_all_runs_is_restored_whole(postgres: PostgresServer, database: str) -> None:
    async with open_records(postgres.address(database)) as records:
        async with records.writing() as connection:
            await log_changes(connection, [Change("meter", "表", None, {"ct": 0.1})], Author("李", "函", 7))
        file, name = postgres.folder / f"{database}.dump", postgres.copy("template1")
        await asyncio.to_thread(postgres.run, "pg_dump", "--format=custom", f"--file={file}", f"--dbname={database}")
        restore = ("pg_restore", "--no-owner", "--single-transaction", f"--dbname={name}", str(file))
        await asyncio.to_thread(postgres.run, *restore)
        kept = await logged_changes(records)

    async with open_records(postgres.address(name)) as records:
        assert await logged_changes(records) == kept
        async with records.writing() as connection:
            await log_changes(connection, [Change("meter", "b", None, {})], Author("li", "", 8))
        assert await last_change(records) == kept[-1].id + 1


async def test_a_user_for_reports_reads_and_changes_nothing(postgres: PostgresServer, database: str) -> None:
    async with open_records(postgres.address(database)):
        postgres.sql(f"CREATE ROLE reports_{database} LOGIN")
        postgres.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO reports_{database}", database)

    async with open_records(postgres.address(database).replace("jieneng@", f"reports_{database}@")) as records:
        assert await logged_changes(records) == []
        with pytest.raises(StoreError, match="permission denied for table changes"):
            async with records.writing() as connection:
                await log_changes(connection, [Change("meter", "a", None, {})], Author("li", "", 0))
