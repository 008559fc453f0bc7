"""docker-compose.yml as the real Compose understands it; no engine is needed for that."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.real_parts import program

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"


def compose(
    *arguments: str, file: Path = FILE, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Compose on a file with these variables, and none of this session's."""
    spec = importlib.util.find_spec("compose")
    beside = Path(spec.origin).parent / "docker-compose" if spec and spec.origin else Path("docker-compose")
    known = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    # The script of the package forgets how the program ended: it is called itself.
    command = [program(str(beside)), "--file", str(file), "--project-directory", str(ROOT), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=known | dict(variables or {}), cwd=ROOT, timeout=60
    )


def resolved(**variables: str) -> dict[str, Any]:
    """The whole file, with nothing left to be guessed."""
    ran = compose("config", "--format", "json", variables=variables)
    assert ran.returncode == 0, ran.stderr
    made: dict[str, Any] = json.loads(ran.stdout)
    return made
