"""A process tree that starts in order, is watched, and ends in order."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

import structlog

from adapters.processes import ends_with_parent
from energy.errors import EnergyError

log = structlog.get_logger()

_GRACE_S = 8.0
# How often it is said that a part is still waited for. A first start, or one that brings a large database to today's
# version, takes its time on a small machine: who gave up would break it off, and again at each start.
_SAY_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Part:
    """A command that runs as a child; `log` takes what it says, None leaves that to the terminal.

    The next part is started when `ready` says so, at once where there is no `ready`. `told` is what it is told by its
    environment, which other users of the machine do not see.
    """

    name: str
    command: Sequence[str]
    log: Path | None = None
    ready: Callable[[], bool] | None = None
    told: Mapping[str, str] = field(default_factory=dict)


def own(name: str, arguments: Sequence[str], log: Path | None, told: Mapping[str, str] | None = None) -> Part:
    """A part that is a command of ours."""
    return Part(name, [sys.executable, "-m", "jieneng", *arguments], log, told=told or {})


class Child:
    """A part that is started again, after a growing pause, when it dies."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._deaths = 0
        self._restart_at = 0.0
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.part.told}
        if self.part.log is None:
            return subprocess.Popen(self.part.command, env=environment, preexec_fn=ends_with_parent)
        self.part.log.parent.mkdir(parents=True, exist_ok=True)
        with self.part.log.open("ab") as file:
            return subprocess.Popen(
                self.part.command, stdout=file, stderr=file, env=environment, preexec_fn=ends_with_parent
            )

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def watch(self) -> None:
        """Notice a death and start again when it is time."""
        if self._process.poll() is None:
            return
        if self._restart_at == 0.0:
            self._deaths += 1
            pause_s = min(30.0, 2.0 ** (self._deaths - 1))
            self._restart_at = time.monotonic() + pause_s
            log.error("process.died", name=self.part.name, code=self._process.returncode, again_in_s=pause_s)
        elif time.monotonic() >= self._restart_at:
            self._restart_at = 0.0
            self._process = self._start()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
        if self._process.poll() is None:
            log.error("process.killed", name=self.part.name, after_s=_GRACE_S)
            self._process.kill()
            self._process.wait()


@contextmanager
def children(parts: Sequence[Part]) -> Iterator[list[Child]]:
    """The parts, started in order and stopped in the reverse."""
    with ExitStack() as stack:
        started: list[Child] = []
        for part in parts:
            child = Child(part)
            stack.callback(child.stop)
            started.append(child)
            if part.ready is not None:
                _await(part.ready, started, threading.Event(), part.name)
        yield started


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set."""
    stop = threading.Event()

    def stopping(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, stopping) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch(started: Sequence[Child], stop: threading.Event) -> None:
    """Keep the children alive until told to stop."""
    while not stop.wait(0.3):
        for child in started:
            child.watch()


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """This process alone works on the data folder; EnergyError where another does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EnergyError(
                f"{folder} is in use by another `jieneng run` or `demo`; choose another with --data"
            ) from error
        yield


def must_be_free(host: str, port: int) -> None:
    """EnergyError where another program listens already: its answers would be taken for ours."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise EnergyError(
                f"{host}:{port} cannot be listened on: {error.strerror}; choose another with --listen"
            ) from error


def await_health(address: str, started: Sequence[Child], stop: threading.Event) -> bool:
    """Wait for the gateway to answer; False if told to stop before. EnergyError when a child dies first."""
    return _await(lambda: _answers(f"{address}/health"), started, stop, address)


def _await(ready: Callable[[], bool], started: Sequence[Child], stop: threading.Event, what: str) -> bool:
    began = said = time.monotonic()
    while not ready():
        if stop.is_set():
            return False
        for child in started:
            if child.exit_code is not None:
                where = f"; see {child.part.log}" if child.part.log else ""
                raise EnergyError(f"{child.part.name} ended with code {child.exit_code} while starting{where}")
        if time.monotonic() - said > _SAY_EVERY_S:
            said = time.monotonic()
            log.warning("process.awaited", name=what, for_s=round(said - began))
        time.sleep(0.02)
    return True


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2.0) as answer:  # noqa: S310 - an address of our own
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
