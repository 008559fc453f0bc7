"""docker-compose.yml as the real Compose understands it; no engine is needed for that."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.real_parts import program

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_BESIDE = ROOT / "deploy" / "compose"
ROLES, INFLUX, BOTH = (_BESIDE / f"{name}.yaml" for name in ("roles", "influx", "roles-influx"))
# All that can be put together, by what it is called here.
STACKS: dict[str, tuple[Path, ...]] = {
    "one gateway": (FILE,),
    "roles": (FILE, ROLES),
    "influx": (FILE, INFLUX),
    "roles and influx": (FILE, ROLES, INFLUX, BOTH),
}


def compose(
    *arguments: str, files: Sequence[Path] = (FILE,), variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Compose on files with these variables, and none of this session's."""
    spec = importlib.util.find_spec("compose")
    beside = Path(spec.origin).parent / "docker-compose" if spec and spec.origin else Path("docker-compose")
    known = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    # The script of the package forgets how the program ended: it is called itself.
    named = [word for file in files for word in ("--file", str(file))]
    command = [program(str(beside)), *named, "--project-directory", str(ROOT), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=known | dict(variables or {}), cwd=ROOT, timeout=240
    )


def resolved(files: Sequence[Path] = (FILE,), **variables: str) -> dict[str, Any]:
    """All of it, with nothing left to be guessed."""
    ran = compose("config", "--format", "json", files=files, variables=variables)
    assert ran.returncode == 0, ran.stderr
    made: dict[str, Any] = json.loads(ran.stdout)
    return made
