"""The parts of requirements.lock that an image needs: what runs, and what builds the wheel; nothing for developers.

`python -m tools.runtime_lock` writes deploy/locks/runtime.lock and deploy/locks/build.lock, after requirements.lock has
changed. What needs what is told by the installed packages, which must be those of the lock.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==[^\n]*\\\n(?: {4}--hash=[^\n]*\n)+", re.MULTILINE)
# What an image has beside what the program always needs.
_EXTRAS = ("influx", "grafana")
# An image is Linux; what Python of which machine it has does not change what is needed.
_IMAGE = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}


def locks(root: Path = ROOT) -> dict[str, str]:
    """Both files by name, with the text that they should have."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    entries = {str(canonicalize_name(found["name"])): found[0] for found in _ENTRY.finditer(lock)}
    extras = [one for name in _EXTRAS for one in project["project"]["optional-dependencies"][name]]
    roots = {
        "runtime.lock": project["project"]["dependencies"] + extras,
        "build.lock": project["build-system"]["requires"],
    }
    return {name: _text(entries, needed(given)) for name, given in roots.items()}


def needed(requirements: Iterable[str]) -> set[str]:
    """The names of all packages behind some requirements."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(one) for one in requirements]
    while waiting:
        one = waiting.pop()
        for extra in ("", *sorted(one.extras)):
            key = (canonicalize_name(one.name), extra)
            if key in found:
                continue
            found.add(key)
            behind = [Requirement(text) for text in distribution(one.name).requires or ()]
            waiting += [r for r in behind if r.marker is None or r.marker.evaluate({**_IMAGE, "extra": extra})]
    return {name for name, _ in found}


def _text(entries: dict[str, str], names: set[str]) -> str:
    missing = sorted(names - entries.keys())
    if missing:
        raise SystemExit(f"requirements.lock has no {', '.join(missing)}; make it anew")
    head = "# Of requirements.lock, by: python -m tools.runtime_lock\n\n"
    return head + "".join(text for name, text in entries.items() if name in names)


def main() -> None:
    folder = ROOT / "deploy" / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in locks().items():
        (folder / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"deploy/locks/{name}: {text.count('==')} packages\n")


if __name__ == "__main__":
    main()
