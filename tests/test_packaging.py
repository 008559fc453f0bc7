"""The packages are ours alone, and the wheel holds all that an installation needs."""

from __future__ import annotations

import subprocess
import sys
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
        "jieneng/config/calendar/china.yaml",
        "jieneng/config/demo.yaml",
        "jieneng/config/demo-campus.yaml",
        "gateway/static/index.html",
    ):
        assert name in held
    assert not [name for name in held if name.startswith(("tests/", "web/", "benchmarks/"))]
