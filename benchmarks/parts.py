"""Real processes for benchmarks: brokers, gateways, free ports."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.real_parts import free_port as free_port
from tests.real_parts import free_ports as free_ports

# What a three-phase meter tells: a register and seven instantaneous values.
THREE_PHASE = (
    "active_power",
    "active_energy_import",
    "voltage_l1",
    "voltage_l2",
    "voltage_l3",
    "current_l1",
    "power_factor",
    "reactive_power",
)
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
persistence true
persistence_location {folder}/
"""


def mosquitto_binary() -> str | None:
    """Debian's broker, if it is installed."""
    return shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Debian's broker on 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(folder, "mosquitto") if os.geteuid() == 0 else None
    configuration = folder / "mosquitto.conf"
    configuration.write_text(_MOSQUITTO.format(port=port, folder=folder))
    binary = mosquitto_binary()
    assert binary is not None, "mosquitto is not installed"
    with process([binary, "-c", str(configuration)], folder / "mosquitto.log") as running:
        until(lambda: _answers(port), "mosquitto")
        yield running


@contextmanager
def jieneng(arguments: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours as a process."""
    with process([sys.executable, "-m", "jieneng", *arguments], log) as running:
        yield running


@contextmanager
def process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended by SIGTERM."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        running = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has taken, in the kernel too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until_healthy(port: int, *, within_s: float = 240.0) -> None:
    """Wait for a gateway to answer."""
    until(lambda: _healthy(port), f"the gateway on {port}", within_s=within_s)


def until(ready: object, what: str, *, within_s: float = 240.0) -> None:
    """Wait for something to be so; AssertionError after too long."""
    assert callable(ready)
    deadline = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not come within {within_s} s"
        time.sleep(0.01)


def _healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
