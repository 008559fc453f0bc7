"""A process that can be killed at any instant, and started again."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adapters.processes import ends_with_parent


@dataclass(slots=True)
class Part:
    """A process, how it is started, and how one sees that it works."""

    name: str
    command: Callable[[], list[str]]
    log: Path
    is_up: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0
    log_from: int = 0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = self.command()
        with self.log.open("ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=ends_with_parent)

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """The hardest end; nothing of the process is left when this returns."""
        assert self.process is not None
        self.kills += 1
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """The end that is asked for."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self, word: str) -> bool:
        """Whether its log holds a word since it was started last."""
        if not self.log.exists():
            return False
        with self.log.open("rb") as log:
            log.seek(self.log_from)
            return word.encode() in log.read()
