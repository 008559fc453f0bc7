"""`jieneng grafana`: from settings to files and into a Grafana, over records and ledger on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from adapters.postgres_address import PostgresAddress
from adapters.stores import open_stores
from energy.errors import StoreError
from jieneng.__main__ import jieneng
from jieneng.commands.grafana import _again
from jieneng.grafana import Reader, sources_of
from jieneng.settings import Settings, load_settings
from tests.databases import on_postgresql
from tests.gateway.dashboards.asking import ROLE, rows
from tests.gateway.dashboards.grafana_stub import TOKEN, grafana_stub
from tests.gateway.ledger.books import columns, quarters
from tests.postgresql import PostgresServer
from tests.waiting import PATIENCE_S

# No meter says what it measures: the readings do.
SITE = """\
site: campus
name: {zh: 园区, en: Campus}
places:
  - {id: house, name: {zh: 楼, en: House}, kind: office}
meters:
  - {id: main, name: {zh: 表, en: M}, medium: electricity, place: house, read: [active_energy_import]}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(jieneng, [str(a) for a in arguments])


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return on_postgresql(postgres)()


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Path:
    """A settings file of servers, with a site and some readings."""
    file = tmp_path / "servers.yaml"
    words = {"data": "var", "ledger": database, "records": database, "store": f"duckdb:{tmp_path}/readings.duckdb"}
    file.write_text(yaml.safe_dump(words))
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    imported = run("site", "import", tmp_path / "site.yaml", "--yes", "--config", file)
    assert imported.exit_code == 0, imported.output

    async def read() -> None:
        async with open_stores(*load_settings(file).stores) as (store, _):
            await store.write(columns(quarters(96)))

    asyncio.run(read())
    return file


def test_files_come_with_grants_that_work(
    settings: Path, database: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    into = tmp_path / "provisioning"
    told = run("grafana", "files", "--config", settings, "--into", into, "--language", "en", "--reader", ROLE)

    assert told.exit_code == 0, told.output
    assert "not shown: readings of meters: they are not in VictoriaMetrics" in told.output
    made = [json.loads(f.read_text()) for f in (into / "dashboards" / "jieneng").glob("*.json")]
    assert {m["title"] for m in made} == {"Consumption: Campus", "Consumption: House", "Meters", "Contracts"}
    [provider] = yaml.safe_load((into / "dashboards" / "jieneng.yaml").read_text())["providers"]
    assert provider["options"] == {"path": "/etc/grafana/provisioning/dashboards/jieneng"}
    named = yaml.safe_load((into / "datasources" / "jieneng.yaml").read_text())["datasources"]
    assert {d["uid"]: (d["user"], d["jsonData"]["sslmode"]) for d in named} == {
        "jieneng-ledger": (ROLE, "require"),
        "jieneng-records": (ROLE, "require"),
    }
    name = named[0]["jsonData"]["database"]
    if postgres.sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{ROLE}'") == "0":
        postgres.sql(f"CREATE ROLE {ROLE} LOGIN")
    for grants in ("reader-ledger.sql", "reader-records.sql"):
        postgres.sql((into / grants).read_text(), name)
    assert asyncio.run(rows(postgres, name, "SELECT meter FROM ledger.points")) == [("main",)]
    assert asyncio.run(rows(postgres, name, "SELECT id FROM meters")) == [("main",)]


def test_the_owner_of_the_tables_grants_what_the_files_need(
    settings: Path, database: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    into, name = tmp_path / "provisioning", PostgresAddress.parse(database).database
    how = ("--config", settings, "--into", into, "--reader", "another_reader", "--grant")

    assert "another_reader" in str(run("grafana", "files", *how).exception)
    postgres.sql("CREATE ROLE another_reader LOGIN")
    assert run("grafana", "files", *how).exit_code == 0
    assert run("grafana", "files", *how).exit_code == 0

    may = "SELECT has_table_privilege('another_reader', '{}', 'SELECT')"
    assert [postgres.sql(may.format(table), name) for table in ("ledger.hours", "user_accounts")] == ["t", "f"]
    postgres.sql("DROP OWNED BY another_reader", name)
    postgres.sql("DROP ROLE another_reader")


async def test_files_are_written_again_and_again_also_after_a_database_was_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written, twice = 0, asyncio.Event()
    loop = asyncio.get_running_loop()

    def write() -> int:
        nonlocal written
        written += 1
        if written == 1:
            raise StoreError("the ledger is away")
        loop.call_soon_threadsafe(twice.set)
        return 0

    going_on = asyncio.create_task(_again(write, 0))
    async with asyncio.timeout(PATIENCE_S):
        await twice.wait()
    going_on.cancel()

    assert capsys.readouterr().err == "the ledger is away\n"


def test_pushing_tells_what_it_did_and_what_it_left_alone(settings: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "password").write_text("a secret")
    how = ("--token-file", tmp_path / "token", "--reader-password-file", tmp_path / "password", "--config", settings)
    with grafana_stub() as stub:
        dry = run("grafana", "push", "--url", stub.url, *how, "--dry-run")
        assert (dry.exit_code, stub.changes) == (0, []), dry.output
        first = run("grafana", "push", "--url", stub.url, *how)
        assert first.exit_code == 0 and "new                  dashboard 用能：园区" in first.output, first.output
        [uid] = [uid for uid, m in stub.dashboards.items() if m["title"] == "用能：园区"]
        stub.dashboards[uid]["title"] = "我的"
        again = run("grafana", "push", "--url", stub.url, *how)

    assert again.exit_code == 1
    assert f"changed by somebody  dashboard 用能：园区 ({uid})" in again.output
    assert "1 left alone; --force replaces what was changed" in again.output


def test_embedded_stores_are_refused_with_what_would_be_right(tmp_path: Path) -> None:
    told = run("grafana", "files", "--data", tmp_path, "--into", tmp_path / "provisioning")

    assert told.exit_code != 0
    assert "it reads PostgreSQL and VictoriaMetrics, not the files of the embedded ones" in str(told.exception)
    assert not (tmp_path / "provisioning").exists()


def test_data_sources_are_those_that_the_settings_name(tmp_path: Path) -> None:
    ca, secret = tmp_path / "ca.pem", tmp_path / "secret"
    ca.write_text("")
    secret.write_text("s3cret")
    given = Settings(
        ledger=f"postgresql://jieneng@db.example:6432/ledger?ca={ca}",
        store=f"victoria+https://insert.example/a?select=https://select.example/b&name=north&token_file={secret}",
    )
    found = sources_of(given, Reader(), "http://prometheus:9090/")

    ledger, readings, metrics = found.all
    assert (ledger.url, ledger.user, found.series) == ("db.example:6432", "jieneng_reader", "north")
    assert ledger.told == {
        "database": "ledger", "sslmode": "verify-full", "tlsConfigurationMethod": "file-path",
        "sslRootCertFile": str(ca),
    }  # fmt: skip
    assert (readings.url, metrics.url) == ("https://select.example/b", "http://prometheus:9090")
    assert readings.secret["httpHeaderValue1"].read() == "Bearer s3cret"
    assert readings.secret["httpHeaderValue1"].in_files == f"Bearer $__file{{{secret}}}"
    assert [m.partition(":")[0] for m in found.missing] == ["quotas and contracts"]
