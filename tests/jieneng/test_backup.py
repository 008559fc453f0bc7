"""`jieneng backup` and `jieneng restore` over a folder that nobody works on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from adapters.copy_sqlite import revision_of
from adapters.learnt_files import LearntFiles
from adapters.outbox_sqlite import SqliteOutbox
from adapters.stores import open_ledger, open_store
from energy.errors import EnergyError
from energy.readings import Point
from gateway.audit.chain import Action
from gateway.backups.newest import backed_up_at
from gateway.records.database import HEAD, engines_at
from gateway.records.migrate import upgrade
from jieneng.__main__ import jieneng
from jieneng.backups import manifest as words
from jieneng.backups.archive import read_manifest
from jieneng.backups.gathering import files_outside
from jieneng.backups.taking import kept_only
from jieneng.records import kept_audit
from jieneng.settings import Settings
from tests.databases import KINDS
from tests.gateway.ledger.books import columns
from tests.postgresql import PostgresServer
from tests.real_parts import free_port, program

FIRST = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
POINT = Point("main", "active_energy_import")
SITE = """\
site: campus
name: {zh: 园区, en: Campus}
lines:
  - {id: one, address: tcp://127.0.0.1:1}
meters:
  - {id: main, name: {zh: 总, en: Main}, medium: electricity, line: one, unit: 1, profile: own.yaml}
"""
EVENTS = "meter,kind,at,note\nmain,calibrated,2026-03-02T10:30:00+08:00,letter 7\n"
PROVIDERS = "providers:\n- {id: city, secret_file: city.password}\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(jieneng, [str(a) for a in arguments])


def refused(*arguments: object) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, EnergyError), result.output
    return str(result.exception)


async def _read(data: Path) -> None:
    """Three readings, and what they come to in the ledger's tables."""
    async with open_store(f"duckdb:{data / 'readings.duckdb'}") as store:
        open_ledger(store)
        await store.write(columns({FIRST + timedelta(hours=i): 1000.0 + i for i in range(3)}, POINT))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one of everything."""
    folder = tmp_path / "var"
    folder.mkdir()
    asyncio.run(_read(folder))
    (tmp_path / "events.csv").write_text(EVENTS, encoding="utf-8")
    assert run("events", "import", tmp_path / "events.csv", "--data", folder).exit_code == 0
    with closing(SqliteOutbox(folder / "outbox" / "edge.sqlite")) as outbox:
        outbox.put(0, b"unsent")
    LearntFiles(folder / "learnt" / "edge").write("main", b"{}")
    for name in ("secret.key", "identities/edge.pem", "broker/broker.log", "lock", "readings.other-wal"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"top secret, 32 bytes of it at all")
    (folder / "identities").chmod(0o700)
    return folder


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def saved(data: Path, backups: Path, *options: object) -> Path:
    result = run("backup", "--to", backups, "--data", data, *(options or ("--with-secrets",)))
    assert result.exit_code == 0, result.output
    return sorted(backups.glob("*.tar*"))[-1]


def test_a_folder_is_put_back_as_it_was(data: Path, backups: Path, tmp_path: Path) -> None:
    file = saved(data, backups)
    there = tmp_path / "there"

    assert "3 readings" in run("backup", "verify", file).output
    assert run("restore", file, "--data", there).exit_code == 0

    with duckdb.connect(str(there / "readings.duckdb")) as store:
        assert store.execute("SELECT value FROM readings ORDER BY 1").fetchall() == [(1000.0,), (1001.0,), (1002.0,)]
    with closing(SqliteOutbox(there / "outbox" / "edge.sqlite")) as outbox:
        assert [kept.payload for kept in outbox.after(0, 10)] == [b"unsent"]
    assert "calibrated" in run("events", "list", "main", "--data", there).output
    for name in ("learnt/edge/main.json", "secret.key", "identities/edge.pem", "audit.key"):
        assert (there / name).read_bytes() == (data / name).read_bytes()
        assert (there / name).stat().st_mode == (data / name).stat().st_mode
    assert (there / "identities").stat().st_mode & 0o777 == 0o700
    assert not [name for name in ("broker", "lock", "readings.other-wal") if (there / name).exists()]
    assert "restored" in run("audit", "list", "--data", there).output
    assert "backup" in run("audit", "list", "--action", "export", "--data", there).output
    assert "are as they were written" in run("audit", "verify", "--data", there).output


def test_the_gateway_is_told_when_the_newest_backup_became_whole_but_not_by_a_restore(
    data: Path, backups: Path, tmp_path: Path
) -> None:
    assert backed_up_at(data) is None
    began = time.time()
    file = saved(data, backups)
    first = backed_up_at(data)
    assert first is not None and first >= began - 1

    refused("backup", "--to", backups, "--data", data, "--with-secrets", "--store", "memory:")
    assert backed_up_at(data) == first
    assert run("restore", file, "--data", tmp_path / "there").exit_code == 0
    assert backed_up_at(tmp_path / "there") is None


def test_the_outbox_is_copied_before_the_store_and_the_records_last(data: Path, backups: Path) -> None:
    names = [part.name for part in read_manifest(saved(data, backups)).parts]

    order = ["data/outbox/edge.sqlite", "store.duckdb", "data/audit.head", "records.sqlite"]
    assert [name for name in names if name in order] == order


def test_keys_are_left_out_put_in_or_sealed_and_one_must_say_which(data: Path, backups: Path, tmp_path: Path) -> None:
    asked = run("backup", "--to", backups, "--data", data)
    assert asked.exit_code == 2 and "say what becomes of the keys" in asked.output
    assert not list(backups.glob("*"))

    password, wrong = tmp_path / "p", tmp_path / "w"
    password.write_text("a long password\n")
    wrong.write_text("another password")
    file = saved(data, backups, "--password-file", password)
    assert b"top secret" not in file.read_bytes()
    assert "name the file that holds it with --password-file" in refused("restore", file, "--data", tmp_path / "a")
    told = refused("restore", file, "--data", tmp_path / "a", "--password-file", wrong)
    assert "the password is not the one they were saved under" in told
    assert not (tmp_path / "a").exists()
    assert run("restore", file, "--data", tmp_path / "a", "--password-file", password).exit_code == 0
    assert (tmp_path / "a" / "identities" / "edge.pem").read_bytes().startswith(b"top secret")

    without = tmp_path / "without"
    result = run("backup", "--to", without, "--data", data, "--without-secrets")
    assert "without audit.key, identities/edge.pem, secret.key: keep copies of these elsewhere" in result.output
    [file] = without.glob("*.tar")
    result = run("restore", file, "--data", tmp_path / "b")
    assert result.exit_code == 0
    assert "keys were left out of the backup; put them back before the gateway is started" in result.output


def test_files_that_the_settings_name_are_saved_with_those_they_name(data: Path, backups: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    for name, text in (("site/site.yaml", SITE), ("site/own.yaml", "x"), ("oidc.yaml", PROVIDERS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "city.password").write_text("hush")
    files = ("--site", tmp_path / "site" / "site.yaml", "--providers", tmp_path / "oidc.yaml")

    open_file = saved(data, backups, "--without-secrets", *files)
    assert read_manifest(open_file).left_out == [
        "data/audit.key", "data/identities/edge.pem", "data/secret.key", "files/city.password"
    ]  # fmt: skip
    there = tmp_path / "there"
    result = run("restore", open_file, "--data", there)
    assert f"site/site.yaml was {tmp_path}/site/site.yaml" in result.output
    assert (there / "restored" / "site" / "own.yaml").read_text() == "x"
    assert not (there / "restored" / "city.password").exists()


def test_a_folder_that_the_settings_name_is_saved_whole_its_keys_as_keys(tmp_path: Path) -> None:
    for name in ("own/ca.crt", "own/client.key", "own/password", "own/deep/map.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    found = files_outside(Settings(data=tmp_path / "var", channels=tmp_path / "own"), None)

    assert {name: one.secret for name, one in found.items()} == {
        "ca.crt": False, "client.key": True, "deep/map.yaml": False, "password": True
    }  # fmt: skip


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _flipped(file: Path) -> None:
    with tarfile.open(file) as tar:
        at = tar.getmember("records.sqlite").offset_data + 5000
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "packed", "told"),
    [
        (_cut, False, "is not a whole backup"),
        (_cut, True, "is not a whole backup"),
        (_flipped, False, "records.sqlite is damaged"),
        (_empty, False, "is not a whole backup"),
    ],
)
def test_a_damaged_backup_is_told_and_nothing_of_it_restored(
    damage: Callable[[Path], None], packed: bool, told: str, data: Path, backups: Path, tmp_path: Path
) -> None:
    file = saved(data, backups, "--with-secrets", *(["--gzip"] if packed else []))
    damage(file)

    assert told in refused("backup", "verify", file)
    assert told in refused("restore", file, "--data", tmp_path / "there")
    assert not (tmp_path / "there").exists()
    assert not list(tmp_path.glob(".there*"))


def test_a_packed_backup_is_restored_too(data: Path, backups: Path, tmp_path: Path) -> None:
    file = saved(data, backups, "--with-secrets", "--gzip")

    assert file.name.endswith(".tar.gz")
    assert run("restore", file, "--data", tmp_path / "there").exit_code == 0


def test_a_backup_that_is_interrupted_leaves_nothing_that_looks_whole(
    data: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the manifest would be written; then all goes well, and what was left is gone."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("jieneng.backups.archive.Writer.end", full)
        result = run("backup", "--to", backups, "--data", data, "--with-secrets")
        assert "the backup cannot be written" in str(result.exception)
        assert "No space left on device" in str(result.exception)
    assert not list(backups.glob("*.tar*")) and not list(backups.glob(".*.part"))
    # As a process that was killed leaves it.
    (backups / ".jieneng-20260101T000000Z.tar.part").write_bytes(b"half")
    (backups / ".jieneng-backup").mkdir()

    saved(data, backups)
    assert len(list(backups.iterdir())) == 2
    assert not list(backups.glob(".*.part"))


def test_what_is_there_is_not_overwritten_but_moved_aside_where_that_is_said(
    data: Path, backups: Path, tmp_path: Path
) -> None:
    file = saved(data, backups)
    (data / "learnt" / "edge" / "main.json").write_bytes(b"since then")

    assert "something is there already; name an empty folder" in refused("restore", file, "--data", data)
    assert run("restore", file, "--data", data, "--replace").exit_code == 0
    assert (data / "learnt" / "edge" / "main.json").read_bytes() == b"{}"
    [aside] = tmp_path.glob("var.before-restore-of-*")
    assert (aside / "learnt" / "edge" / "main.json").read_bytes() == b"since then"


@contextmanager
def held(store: Path) -> Iterator[None]:
    """Another process has the store open."""
    program_text = (
        f"import duckdb, sys; kept = duckdb.connect({str(store)!r}); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program_text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"open\n"
        yield
        process.stdin.close()


def test_a_folder_that_is_worked_on_is_neither_replaced_nor_copied_behind_its_gateway(
    data: Path, backups: Path, tmp_path: Path
) -> None:
    file = saved(data, backups)
    listen = f"127.0.0.1:{free_port()}"
    with held(data / "readings.duckdb"):
        assert "is in use by a running gateway" in refused("restore", file, "--data", data, "--replace")
        told = refused("backup", "--to", tmp_path / "more", "--data", data, "--with-secrets", "--listen", listen)
    assert "in use by another process" in told and "nobody answered" in told
    assert not list((tmp_path / "more").glob("*.tar"))


def test_a_backup_of_a_newer_version_is_refused_in_words(data: Path, backups: Path, tmp_path: Path) -> None:
    file = saved(data, backups)
    manifest = read_manifest(file)
    for field, value in (("records", "9999"), ("format", 2), ("duckdb", "99.0.0")):
        was = getattr(manifest, field)
        setattr(manifest, field, value)
        with pytest.raises(EnergyError, match=r"made by a newer version of Jieneng .* Install that version"):
            manifest.must_be_understood()
        setattr(manifest, field, was)
    manifest.must_be_understood()


async def _at(records: Path, revision: str) -> None:
    engines = engines_at(f"sqlite:{records}")
    async with engines.writer.begin() as connection:
        await connection.run_sync(upgrade, "the records", revision)
    await engines.reader.dispose()


def test_records_of_an_older_version_are_saved_as_they_are_and_brought_up_when_restored(
    data: Path, backups: Path, tmp_path: Path
) -> None:
    for name in ("records.sqlite", "audit.head", "audit.key"):
        (data / name).unlink()
    asyncio.run(_at(data / "records.sqlite", "0011"))

    file = saved(data, backups)

    assert read_manifest(file).records == revision_of(data / "records.sqlite") == "0011"
    assert run("restore", file, "--data", tmp_path / "there").exit_code == 0
    assert revision_of(tmp_path / "there" / "records.sqlite") == HEAD


def test_only_the_newest_are_kept_and_other_files_are_left_alone(data: Path, backups: Path) -> None:
    backups.mkdir()
    for day in ("01", "02", "03"):
        (backups / f"jieneng-202601{day}T000000Z.tar").write_bytes(b"")
    (backups / "a-jieneng.tar").write_bytes(b"")

    file = saved(data, backups, "--with-secrets", "--keep", 2)

    assert {f.name for f in backups.glob("*.tar")} == {"jieneng-20260103T000000Z.tar", file.name, "a-jieneng.tar"}
    assert kept_only(backups, 5) == []


def test_backups_within_the_data_folder_are_not_saved_again(data: Path) -> None:
    inside = data / "backups"
    saved(data, inside)
    (inside / "jieneng-20260103T000000Z.tar").write_bytes(b"x")
    [older] = [f for f in inside.glob("*.tar") if f.stat().st_size > 1]
    older.rename(inside / "jieneng-20260102T000000Z.tar")

    assert not [p.name for p in read_manifest(saved(data, inside)).parts if "backups" in p.name]


def test_records_on_postgresql_are_saved_and_put_into_an_empty_database(
    postgres: PostgresServer, data: Path, backups: Path, tmp_path: Path
) -> None:
    program("pg_dump")
    (data / "records.sqlite").unlink()
    address, empty = (postgres.address(postgres.copy("template1")) for _ in range(2))
    of = ("--data", data, "--records", address)
    assert run("events", "import", tmp_path / "events.csv", *of).exit_code == 0
    file = saved(data, backups, "--with-secrets", "--records", address)
    there = tmp_path / "there"

    assert "its records were on PostgreSQL" in refused("restore", file, "--data", there)
    assert "tables already" in refused("restore", file, "--data", there, "--records", address)
    assert not there.exists()
    assert run("restore", file, "--data", there, "--records", empty).exit_code == 0
    restored = ("--data", there, "--records", empty)
    assert run("events", "list", "main", *restored).output == run("events", "list", "main", *of).output
    assert "are as they were written" in run("audit", "verify", *restored).output
    part = read_manifest(file).part(words.DUMP)
    assert part is not None and part.rows["meter_events"] == 1


@contextmanager
def written_to(settings: Settings) -> Iterator[list[int]]:
    """Somebody writes into the audit log of these records all the while; how many rows he has written."""
    rows, stop = [0], threading.Event()

    async def write() -> None:
        async with kept_audit(settings) as audit:
            while not stop.is_set():
                await audit.record(Action.EXPORT, f"bill/{rows[0]}", account="busy")
                rows[0] += 1

    writing = threading.Thread(target=asyncio.run, args=(write(),))
    writing.start()
    try:
        yield rows
    finally:
        stop.set()
        writing.join()


@pytest.mark.parametrize("kind", KINDS)
def test_an_audit_log_that_is_written_to_meanwhile_is_whole_when_it_is_restored(
    kind: str, request: pytest.FixtureRequest, data: Path, backups: Path, tmp_path: Path
) -> None:
    records, empty = f"sqlite:{data / 'records.sqlite'}", f"sqlite:{tmp_path / 'there' / 'records.sqlite'}"
    if kind == "postgresql":
        program("pg_dump")
        (data / "records.sqlite").unlink()
        (data / "audit.head").unlink()
        server: PostgresServer = request.getfixturevalue("postgres")
        records, empty = (server.address(server.copy("template1")) for _ in range(2))
    with written_to(Settings(data=data, records=records)) as rows:
        while rows[0] < 5:
            time.sleep(0.01)
        before = rows[0]
        file = saved(data, backups, "--with-secrets", "--records", records)
        after = rows[0]
    there = ("--data", tmp_path / "there", "--records", empty)

    assert run("restore", file, *there).exit_code == 0
    assert after > before
    told = run("audit", "verify", *there)
    assert "are as they were written" in told.output
    assert before <= int(told.output.split()[0]) <= after + 3


def test_where_pg_dump_is_not_installed_that_is_said(
    postgres: PostgresServer, data: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres.address(postgres.copy("template1"))
    monkeypatch.setattr("jieneng.backups.postgresql.shutil.which", lambda _name: None)

    told = refused("backup", "--to", backups, "--data", data, "--with-secrets", "--records", address)
    assert "pg_dump is not installed" in told and "postgresql-client" in told
    assert not list(backups.glob("*.tar"))


def test_the_machine_of_an_edge_is_saved_too(tmp_path: Path, backups: Path) -> None:
    """It has neither store nor records."""
    with closing(SqliteOutbox(tmp_path / "var" / "outbox" / "north.sqlite")) as outbox:
        outbox.put(0, b"unsent")
    file = saved(tmp_path / "var", backups)

    assert run("restore", file, "--data", tmp_path / "there").exit_code == 0
    with closing(SqliteOutbox(tmp_path / "there" / "outbox" / "north.sqlite")) as outbox:
        assert [kept.payload for kept in outbox.after(0, 10)] == [b"unsent"]
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["outbox"]


def test_a_store_in_memory_is_not_saved(data: Path, backups: Path) -> None:
    assert Settings(store="memory:").store_address == "memory:"
    assert "a store in memory" in refused(
        "backup", "--to", backups, "--data", data, "--with-secrets", "--store", "memory:"
    )
