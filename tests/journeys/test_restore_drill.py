"""A restore drill over real processes: saved while meters are read, everything killed, restored elsewhere, gone on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import duckdb
import pytest
from click.testing import CliRunner

from jieneng.__main__ import jieneng
from jieneng.backups.archive import read_manifest
from tests.journeys.campus import children_of, command, kill, small_site, until
from tests.real_parts import free_port, free_ports

Rows = dict[tuple[str, str, int], tuple[float, int]]
_READINGS = "SELECT meter, quantity, taken_at_ms, value, quality FROM readings JOIN points ON point = id"
# Yesterday a register went from 100 to 124 kWh, by one each hour.
_HOURS = "SELECT meter, quantity, hour, amount, estimated, cost, measured_ms FROM hours JOIN points ON point = id"
COUNTER, FIRST_KWH, HOURS = "office-a-main", 1000.0, 24


@dataclass
class Installation:
    """A folder with all that an installation has, and how its commands are called."""

    folder: Path
    data: Path
    site: Path
    port: int
    token: Path

    def run(self, *arguments: str) -> str:
        ran = CliRunner().invoke(jieneng, [*arguments, "--data", str(self.data)], catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    def get(self, path: str) -> Any:
        return asked(self.port, path, self.token)

    @property
    def reporting(self) -> int:
        try:
            return sum(m["state"] == "reporting" for m in self.get("/api/v1/meters")["meters"])
        except OSError:
            return 0

    @property
    def latest(self) -> dict[str, int]:
        """When each point was read last, of what is stored."""
        return {p["point"]: p["taken_at"] for p in self.get("/api/v1/latest")["latest"]}

    def serving(self, log: Path) -> Any:
        """`jieneng run` on this folder."""
        there = ("--site", str(self.site), "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}")
        return command("run", *there, "--broker-port", str(free_port()), log=log)


def asked(port: int, path: str, token: Path | None = None, body: dict[str, Any] | None = None) -> Any:
    headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.read_text().strip()}"
    content = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", content, headers), timeout=120) as answer:
        return json.loads(answer.read())


def readings(file: Path) -> Rows:
    with duckdb.connect(str(file), read_only=False) as store:
        return {(m, q, t): (v, quality) for m, q, t, v, quality in store.execute(_READINGS).fetchall()}


def ledger(file: Path, before_hour: int) -> set[tuple[object, ...]]:
    """What the ledger holds of hours that are over."""
    with duckdb.connect(str(file)) as store:
        found = store.execute(f"{_HOURS} WHERE hour < {before_hour}").fetchall()
    return set(found)


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Path]:
    site = small_site(tmp_path, free_ports(2))
    with command("simulate", "--site", str(site), "--faults-file", str(tmp_path / "f.json"), log=tmp_path / "s.log"):
        yield site


@pytest.fixture
def installed(tmp_path: Path, simulated: Path) -> Installation:
    """Meters, a day of the past, an event, somebody who may sign in, and a token for backups."""
    token = tmp_path / "token"
    made = Installation(tmp_path, tmp_path / "var", simulated, free_port(), token)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    rows = [
        f"{COUNTER},active_energy_import,{(midnight + timedelta(hours=i)).isoformat()},{FIRST_KWH + i}"
        for i in range(HOURS + 1)
    ]
    past = tmp_path / "past.csv"
    past.write_text("\n".join(["meter,quantity,taken_at,value", *rows]) + "\n")
    made.run("import", str(past))
    made.run("site", "import", str(simulated), "--yes")
    (tmp_path / "events.csv").write_text(f"meter,kind,at,note\n{COUNTER},calibrated,{midnight.isoformat()},letter 7\n")
    made.run("events", "import", str(tmp_path / "events.csv"))
    (tmp_path / "password").write_text(made.run("accounts", "add", "officer").removeprefix("first password: ").strip())
    made.run("accounts", "grant", "officer", "energy_officer")
    token.write_text(made.run("accounts", "token", "officer", "--scope", "operate", "--scope", "read"))
    return made


def flowed(at: Installation, since: datetime, end: datetime) -> Any:
    """What flowed through the counter, as the ledger has it, and of what kind it is."""
    ends = [round(instant.timestamp() * 1000) for instant in (since, end)]
    path = f"/api/v1/consumption?of={COUNTER}:active_energy_import&from={ends[0]}&to={ends[1]}"
    return at.get(path)["media"][0]["total"]


def midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def yesterday(at: Installation) -> Any:
    return flowed(at, midnight() - timedelta(days=1), midnight())["value"]


def is_judged(at: Installation, over: datetime) -> bool:
    """Whether the hours of today are judged, up to this one: they are missing until the first reading of today is in,
    and disputed then, for the simulated meter shows less."""
    return over <= midnight() or flowed(at, over - timedelta(hours=1), over)["shares"]["missing"] == 0.0


def test_what_was_saved_while_meters_were_read_is_restored_after_everything_died(
    installed: Installation, tmp_path: Path
) -> None:
    backups, key = tmp_path / "backups", tmp_path / "backup.password"
    key.write_text("correct horse battery staple\n")
    # The hours that are over: no reading changes them any more, once the first one of today is in.
    over = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with ExitStack() as stack:
        running = stack.enter_context(installed.serving(tmp_path / "run.log"))
        until(lambda: installed.reporting >= 20, f"meters; see {tmp_path}")
        until(lambda: yesterday(installed) == HOURS, "the ledger of yesterday")
        until(lambda: is_judged(installed, over), "a ledger that holds the first readings")
        known = installed.latest
        saved = installed.run(
            "backup", "--to", str(backups), "--password-file", str(key), "--site", str(installed.site),
            "--listen", f"127.0.0.1:{installed.port}", "--token-file", str(installed.token),
        )  # fmt: skip
        assert "everything of" in saved
        until(lambda: max(installed.latest.values()) > max(known.values()) + 2000, "more readings")
        for pid in (*children_of(running.pid), running.pid):
            kill(pid)
        running.wait()
    [file] = backups.glob("*.tar")
    manifest = read_manifest(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"correct horse" not in file.read_bytes()

    other = Installation(tmp_path, tmp_path / "elsewhere", installed.site, free_port(), installed.token)
    told = other.run("restore", str(file), "--password-file", str(key))
    assert "site.yaml was" in told

    was, now = readings(installed.data / "readings.duckdb"), readings(other.data / "readings.duckdb")
    assert now.items() <= was.items(), "nothing that was never read"
    missing = [
        (meter, name, t) for meter, name, t in was if t <= known[f"{meter}:{name}"] and (meter, name, t) not in now
    ]
    assert missing == [], "whatever the gateway had when the backup was asked for is in it"
    assert len(was) > len(now) > HOURS
    hour = round(over.timestamp()) // 3600
    of_ledger = ledger(other.data / "readings.duckdb", hour)
    assert of_ledger == ledger(installed.data / "readings.duckdb", hour) and len(of_ledger) >= HOURS
    for listed in (("site", "history"), ("events", "list"), ("accounts", "list")):
        assert other.run(*listed) == installed.run(*listed)
    assert "are as they were written" in other.run("audit", "verify")
    assert "officer" in other.run("audit", "list", "--action", "export")
    assert (other.data / "secret.key").read_bytes() == (installed.data / "secret.key").read_bytes()
    assert (other.data / "secret.key").stat().st_mode & 0o777 == 0o600

    with other.serving(tmp_path / "again.log"):
        until(lambda: other.reporting >= 20, f"meters again; see {tmp_path}")
        assert yesterday(other) == HOURS
        until(lambda: max(other.latest.values()) > manifest.ended_at, "readings after the backup")
        signed = asked(other.port, "/api/v1/session", None, {"name": "officer", "password": _password(tmp_path)})
        assert signed["stage"] == "in"
        assert other.get("/health")["refused"] == {}
        until(lambda: told_of_edge(other) == ("online", []), "all meters of the edge")
        [edge] = other.get("/api/v1/edges")["edges"]
        assert edge["since"] > manifest.ended_at
        assert other.get("/api/v1/edges/edge")["turns"][-1]["at"] < manifest.begun_at, "it is known from before"
    grown = readings(other.data / "readings.duckdb")
    assert now.items() <= grown.items() and max(t for *_, t in grown) > manifest.ended_at
    assert "are as they were written" in other.run("audit", "verify")
    assert {path.name for path in backups.iterdir()} == {file.name, ".jieneng-backup.lock"}


def told_of_edge(at: Installation) -> tuple[str, list[str]]:
    [edge] = at.get("/api/v1/edges")["edges"]
    return edge["state"], edge["meters_silent"]


def _password(folder: Path) -> str:
    return (folder / "password").read_text()
