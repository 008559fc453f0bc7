"""Both brokers that the bus is tested over, as real programs: started, stopped, killed."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from adapters.broker_nats import embedded_broker
from tests.real_parts import program

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {folder}/
autosave_interval 1
log_dest none
"""

Start = Callable[[Path, int], AbstractContextManager[subprocess.Popen[bytes]]]


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Mosquitto on 127.0.0.1:`port`, without passwords; keeps what it must in `folder`."""
    binary = program("mosquitto", "/usr/sbin/mosquitto")
    configuration = folder / "mosquitto.conf"
    # As root it would change to a user that may not write here.
    as_root = "user root\n" if os.getuid() == 0 else ""
    configuration.write_text(_MOSQUITTO.format(port=port, folder=folder) + as_root)
    process = subprocess.Popen([binary, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(process, port)
        yield process
    finally:
        process.terminate()
        process.wait(120)


def await_port(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(12_000):
        assert process.poll() is None, "mosquitto did not start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError("mosquitto does not listen")


class Broker:
    """A broker that can be stopped and started again with what it has kept."""

    def __init__(self, start: Start, folder: Path, port: int) -> None:
        self.address = f"mqtt://127.0.0.1:{port}"
        self._start, self._folder, self._port = start, folder, port
        self._running = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self._running.enter_context(self._start(self._folder, self._port))

    def stop(self) -> None:
        self._running.close()
        self.process = None

    def kill(self) -> None:
        """As a failing machine would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.stop()


STARTS: dict[str, Start] = {"embedded": embedded_broker, "mosquitto": mosquitto}
