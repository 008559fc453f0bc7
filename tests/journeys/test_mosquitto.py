"""The same pipeline over Debian's Mosquitto, watched and fed by programs that nobody here wrote."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from benchmarks.parts import mosquitto
from tests.journeys.campus import command, get, reporting, small_site, until
from tests.real_parts import free_port, free_ports, program


@dataclass
class Campus:
    port: int
    broker: int
    line: int


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campus]:
    program("mosquitto", "/usr/sbin/mosquitto")
    folder = tmp_path_factory.mktemp("mosquitto")
    # Debian's broker gives up root and must still reach its folder.
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o755)
    line = free_ports(2)
    site = small_site(folder, line)
    port, broker = free_port(), free_port()
    faults = ("--faults-file", str(folder / "faults.json"))
    run = ("--data", str(folder / "var"), "--listen", f"127.0.0.1:{port}", "--bus", f"mqtt://127.0.0.1:{broker}")
    with ExitStack() as stack:
        stack.enter_context(mosquitto(folder / "broker", broker))
        stack.enter_context(command("simulate", "--site", str(site), *faults, log=folder / "simulate.log"))
        arguments = ("--site", str(site), "--edge", "north", "--accounts", "off", *run)
        stack.enter_context(command("run", *arguments, log=folder / "run.log"))
        until(lambda: reporting(port) >= 20, f"meters; see {folder}")
        yield Campus(port, broker, line)


def test_meters_report_over_mosquitto(campus: Campus) -> None:
    # A meter that a busy machine answers for too late is one, until the next time.
    until(lambda: get(campus.port, "/api/v1/overview")["problems"] == [], "peace")
    overview = get(campus.port, "/api/v1/overview")

    assert [(e["edge"], e["state"]) for e in overview["edges"]] == [("north", "online")]
    assert get(campus.port, "/health")["refused"] == {}


def test_a_stranger_can_watch_the_readings(campus: Campus) -> None:
    watch = [program("mosquitto_sub"), "-p", str(campus.broker), "-t", "jieneng/v1/+/readings", "-C", "1", "-W", "240"]
    batch = json.loads(subprocess.run(watch, check=True, capture_output=True).stdout)

    assert batch["sequence"] > 0
    reading = batch["readings"][0]
    assert set(reading) <= {"meter", "taken_at", "values", "flags"}
    assert abs(reading["taken_at"] / 1000 - time.time()) < 300


def test_a_stranger_can_publish_readings_and_see_what_was_refused(campus: Campus) -> None:
    now_ms = int(time.time() * 1000)
    batch = {
        "readings": [
            {"meter": "office-a-main", "taken_at": now_ms, "values": {"power_factor": 0.5, "frequency": 999.0}},
            {"meter": "stranger", "taken_at": now_ms, "values": {"active_power": 1.0}},
        ]
    }
    publish = [program("mosquitto_pub"), "-p", str(campus.broker), "-q", "1"]
    subprocess.run([*publish, "-t", "jieneng/v1/guest/readings", "-m", json.dumps(batch)], check=True)

    def refused() -> dict[str, str]:
        newest = get(campus.port, "/api/v1/quarantine")["refused"]
        return {r["reason"]: r["meter"] for r in newest if r["edge"] == "guest"}

    until(lambda: len(refused()) == 2, "two refusals")
    assert refused() == {"implausible value": "office-a-main", "unknown meter": "stranger"}
    (latest,) = get(campus.port, "/api/v1/latest?point=office-a-main:power_factor")["latest"]
    assert (latest["value"], latest["taken_at"]) == (0.5, now_ms)


def test_a_real_modbus_master_reads_what_is_stored(campus: Campus) -> None:
    """What mbpoll sees in the energy register lies between what was stored before and what is stored after."""

    def stored() -> float:
        (found,) = get(campus.port, "/api/v1/latest?point=office-a-lighting-f1:active_energy_import")["latest"]
        return float(found["value"])

    before = stored()
    poll = [program("mbpoll"), "-m", "tcp", "-p", str(campus.line), "-a", "2", "-t", "3:float", "-B", "-r", "73", "-1"]
    shown = subprocess.run([*poll, "127.0.0.1"], check=True, capture_output=True, text=True).stdout
    register = float(next(line.split()[-1] for line in shown.splitlines() if line.startswith("[73]")))
    after = until(lambda: stored() >= register - 1 and stored(), "the reading after")

    # mbpoll prints six digits of the float.
    assert before - 1 <= register <= after + 1
