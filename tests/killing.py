"""Processes of a test, killed without a word and started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Killed:
    """What `main` of a module does with these arguments, in a process of its own, again and again."""

    def __init__(self, module: str, *arguments: str) -> None:
        code = f"import asyncio; from {module} import main; asyncio.run(main())"
        self._command = [sys.executable, "-c", code, *arguments]
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdout=subprocess.DEVNULL, cwd=ROOT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(120)

    def begin_again(self) -> None:
        self.kill()
        self._process = self._started()
