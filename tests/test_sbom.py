"""The bill of materials names every locked package, with hashes that a file can be held against."""

from __future__ import annotations

import json
import re
import runpy
from functools import cache
from typing import Any

from tests.docs.pages import ROOT


@cache
def sbom() -> dict[str, Any]:
    """Made by the first test, and not by every process that looks which tests there are."""
    made: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "sbom.py"))["sbom"]()
    return made


@cache
def by_purl() -> dict[str, dict[str, Any]]:
    return {one["purl"]: one for one in sbom()["components"]}


def test_every_locked_package_is_there_with_its_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s\\]+)", lock, re.MULTILINE)
    npm = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    python = {f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}" for name, version in pinned}
    assert python == {purl for purl in by_purl() if purl.startswith("pkg:pypi/")}
    assert {one["version"] for path, one in npm.items() if path} == {
        one["version"] for purl, one in by_purl().items() if purl.startswith("pkg:npm/")
    }
    assert [purl for purl, one in by_purl().items() if not one["hashes"]] == []
    assert all(len(h["content"]) in (64, 96, 128) for one in by_purl().values() for h in one["hashes"])


def test_what_is_shipped_is_told_from_what_builds_it() -> None:
    scopes = {one["name"]: one["scope"] for one in sbom()["components"]}

    assert (scopes["aiohttp"], scopes["pytest"]) == ("required", "excluded")
    assert (scopes["vue"], scopes["vite"]) == ("required", "excluded")


def test_licences_are_told() -> None:
    assert by_purl()[next(p for p in by_purl() if p.startswith("pkg:pypi/sqlalchemy@"))]["licenses"] == [
        {"expression": "MIT"}
    ]
    assert by_purl()[next(p for p in by_purl() if p.startswith("pkg:npm/vue@"))]["licenses"] == [{"expression": "MIT"}]


def test_the_same_locks_give_the_same_file() -> None:
    again = runpy.run_path(str(ROOT / "tools" / "sbom.py"))["sbom"]()

    assert again == sbom()
    assert (sbom()["bomFormat"], sbom()["specVersion"]) == ("CycloneDX", "1.6")
