"""A VictoriaMetrics server of its own, started for the tests that want one and thrown away after them."""

from __future__ import annotations

import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.real_parts import free_port, program

_FLAGS = ("-retentionPeriod=100y",)


class VictoriaServer:
    """A server on a port of 127.0.0.1, over a folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._program = program("victoria-metrics", "victoria-metrics-prod")
        self._names, self._started_at = count(), 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *flags: str) -> None:
        command = [self._program, f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *(flags or _FLAGS)], stdout=log, stderr=log)
        for _ in range(6000):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=20):
                    self._started_at = int(time.time())
                    return
            except (URLError, OSError):
                time.sleep(0.02)
        raise AssertionError("VictoriaMetrics does not answer")

    def grow_old(self) -> None:
        """Be up for so long that a server that is started now is seen to be another one: it tells whole seconds."""
        while int(time.time()) <= self._started_at:
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has died."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """As a power cut would, but that what was handed to the disk stays."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(120)

    def address(self, journal: Path, name: str | None = None) -> str:
        """A store of its own on the server."""
        return f"victoria+http://127.0.0.1:{self.port}?journal={journal}&name={name or self.new_name()}"

    def show_all(self, user: str = "", password: str = "") -> None:
        """Let what has been written be found at once, in place of some seconds later."""
        shown = b64encode(f"{user}:{password}".encode()).decode()
        asked = Request(f"http://127.0.0.1:{self.port}/internal/force_flush")
        asked.add_header("Authorization", f"Basic {shown}")
        with urlopen(asked, timeout=120):
            pass

    def new_name(self) -> str:
        return f"store{next(self._names)}"


@contextmanager
def victoria_server(*flags: str) -> Iterator[VictoriaServer]:
    """A running server, skipped or failed where it is not installed."""
    with tempfile.TemporaryDirectory(prefix="jieneng-vm-", ignore_cleanup_errors=True) as folder:
        server = VictoriaServer(Path(folder))
        server.start(*flags)
        try:
            yield server
        finally:
            server.kill()
