"""A VictoriaMetrics server of its own, started for the tests that want one and thrown away after them."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.real_parts import free_port, program


class VictoriaServer:
    """A server on a port of 127.0.0.1, over a folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._program = program("victoria-metrics", "victoria-metrics-prod")
        self._names = count()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [self._program, f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, "-retentionPeriod=100y"], stdout=log, stderr=log)
        for _ in range(500):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
                    return
            except (URLError, OSError):
                time.sleep(0.02)
        raise AssertionError("VictoriaMetrics does not answer")

    def grow_old(self) -> None:
        """Be up for so long that a server that is started now is seen to be another one."""
        for _ in range(500):
            with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2) as answer:
                [up] = re.findall(rb"^vm_app_uptime_seconds (\d+)", answer.read(), re.MULTILINE)
            if int(up) >= 3:
                return
            time.sleep(0.05)
        raise AssertionError("VictoriaMetrics does not grow older")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """As a power cut would, but that what was handed to the disk stays."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def address(self, journal: Path, name: str | None = None) -> str:
        """A store of its own on the server."""
        return f"victoria+http://127.0.0.1:{self.port}?journal={journal}&name={name or self.new_name()}"

    def show_all(self) -> None:
        """Let what has been written be found at once, in place of some seconds later."""
        with urlopen(f"http://127.0.0.1:{self.port}/internal/force_flush", timeout=20):
            pass

    def new_name(self) -> str:
        return f"store{next(self._names)}"


@contextmanager
def victoria_server() -> Iterator[VictoriaServer]:
    """A running server, skipped or failed where it is not installed."""
    with tempfile.TemporaryDirectory(prefix="jieneng-vm-", ignore_cleanup_errors=True) as folder:
        server = VictoriaServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
