"""The embedded MQTT broker: nats-server as a child process, on loopback, durable on disk (see docs/decisions)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.processes import ends_with_parent
from energy.errors import EnergyError

_CONFIGURATION = """\
server_name: jieneng
host: "127.0.0.1"
port: -1
jetstream {{ store_dir: "{store}", sync_interval: "2s" }}
mqtt {{ host: "127.0.0.1", port: {port}, max_ack_pending: 1024, ack_wait: "10s" }}
"""


def find_server() -> str:
    """The nats-server that is installed with us, or the machine's."""
    own = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(own) if own.exists() else shutil.which("nats-server")
    if found is None:
        raise EnergyError(
            "no nats-server is installed; run `make setup`, or name another broker with --bus mqtt://HOST"
        )
    return found


def broker_command(folder: Path, port: int) -> list[str]:
    """What starts a broker on 127.0.0.1:`port` that keeps what it must in `folder`; EnergyError where it cannot."""
    if answers(port):
        raise EnergyError(f"port {port} is taken by another program; give the broker another with --broker-port")
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "nats.conf"
    configuration.write_text(_CONFIGURATION.format(store=folder.resolve(), port=port))
    return [find_server(), "-c", str(configuration)]


@contextmanager
def embedded_broker(folder: Path, port: int, *, ready_within_s: float = 10.0) -> Iterator[subprocess.Popen[bytes]]:
    """A broker for as long as the context; EnergyError where it does not come up."""
    command = broker_command(folder, port)
    with (folder / "broker.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=ends_with_parent)
    try:
        _await_port(process, port, folder / "broker.log", ready_within_s)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise EnergyError(f"the broker did not start; its last words are in {log}")
        time.sleep(0.01)


def answers(port: int) -> bool:
    """Whether somebody listens on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
