"""The packages are ours alone, and the wheel holds all that an installation needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("energy", "collectors", "analytics", "adapters", "edge", "gateway", "jieneng")


@pytest.mark.parametrize("name", OURS)
def test_no_other_distribution_owns_a_name_of_ours(name: str) -> None:
    assert set(packages_distributions().get(name, ["jieneng"])) == {"jieneng"}


@pytest.mark.parametrize("name", OURS)
def test_what_is_imported_is_this_checkout(name: str) -> None:
    module = __import__(name)

    assert module.__file__ is not None
    assert Path(module.__file__).is_relative_to(ROOT)


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    names = {path.stem for package in OURS for path in (ROOT / package).rglob("*.py")} - {"__init__", "__main__"}

    assert names & set(sys.stdlib_module_names) == set()


def test_the_wheel_holds_code_profiles_page_and_demo(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "energy/readings.py",
        "collectors/profiles/eastron/sdm630.yaml",
        "collectors/dlt645/meters/three-phase.yaml",
        "collectors/cjt188/meters/water-2018.yaml",
        "jieneng/config/calendar/china.yaml",
        "jieneng/config/demo.yaml",
        "jieneng/config/demo-campus.yaml",
        "gateway/static/index.html",
    ):
        assert name in held
    assert not [name for name in held if name.startswith(("tests/", "web/", "benchmarks/"))]


def test_every_direct_dependency_is_pinned_and_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    # A name, a version, perhaps where it is wanted, and a hash.
    entry = r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s\\]+)(?: ;[^\\\n]+)? \\\n    --hash=sha256:[0-9a-f]{64}"
    locked = dict(re.findall(entry, lock, re.MULTILINE))
    # What benchmarks are compared with is in no installation: it is brought into an environment of its own.
    extras = {name: group for name, group in project["optional-dependencies"].items() if name != "bench"}
    wanted = [*project["dependencies"], *(one for group in extras.values() for one in group)]
    named = [re.fullmatch(r"([\w.-]+)(?:\[[^\]]*\])?==([\w.]+)(?:; .+)?", one) for one in wanted]

    assert None not in named, "a direct dependency is pinned to one version"
    direct = {match[1].lower(): match[2] for match in named if match}
    known = {name.lower(): version for name, version in locked.items()}
    assert {name: known.get(name) for name in direct} == direct
    assert len(locked) == len(re.findall(r"^[\w.-]+(?:\[[^\]]*\])?==", lock, re.MULTILINE))
