"""What an installation is made of, as CycloneDX 1.6: every locked package with its version, hashes and licence.

`python tools/sbom.py FILE` reads requirements.lock and web/package-lock.json. It asks no network: licences of Python
packages are those that the installed ones of this very version tell. The same locks give the same file.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_ALGORITHMS = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_CLASSIFIER = "License :: OSI Approved :: "


def sbom(root: Path = ROOT) -> dict[str, Any]:
    """The bill of materials of the locks below a folder."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tools = {_plain(re.split(r"[=\[]", one)[0]) for one in project.get("optional-dependencies", {}).get("dev", ())}
    python = python_components((root / "requirements.lock").read_text(encoding="utf-8"), tools)
    npm = npm_components(json.loads((root / "web" / "package-lock.json").read_text(encoding="utf-8")))
    components = sorted([*python, *npm], key=lambda one: str(one["purl"]))
    made = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{made}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "jieneng",
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": components,
    }


def python_components(lock: str, tools: set[str]) -> Iterator[dict[str, Any]]:
    """The packages of a requirements.lock; `tools` are those that only development needs."""
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        found = _PINNED.match(block)
        if found is None:
            continue
        name, version = _plain(found["name"]), found["version"]
        hashes = [{"alg": "SHA-256", "content": digest} for digest in _HASH.findall(block)]
        scope = "excluded" if name in tools else "required"
        yield _component(f"pkg:pypi/{name}@{version}", name, version, scope, hashes, _installed_licence(name, version))


def npm_components(lock: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The packages of a package-lock.json, those at several places once."""
    seen: set[str] = set()
    for path, package in lock["packages"].items():
        if not path or package.get("link"):
            continue
        name = package.get("name") or path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40', 1)}@{package['version']}"
        if purl not in seen:
            seen.add(purl)
            scope = "excluded" if package.get("dev") else "optional" if package.get("optional") else "required"
            licence = package.get("license")
            yield _component(purl, name, package["version"], scope, _integrity(package.get("integrity", "")), licence)


def _component(
    purl: str, name: str, version: str, scope: str, hashes: list[dict[str, str]], licence: str | None
) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "scope": scope}
    made |= {"hashes": hashes, "purl": purl}
    if licence:
        # An SPDX expression, or a name as the package spells it.
        spdx = re.fullmatch(r"\(?[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+()-]+)*\)?", licence)
        made["licenses"] = [{"expression": licence}] if spdx else [{"license": {"name": licence}}]
    return made


def _integrity(text: str) -> list[dict[str, str]]:
    pairs = (one.split("-", 1) for one in text.split())
    return [{"alg": _ALGORITHMS[name], "content": base64.b64decode(digest).hex()} for name, digest in pairs]


def _installed_licence(name: str, version: str) -> str | None:
    """What the installed package of this version says; None where it is not installed."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    if told["Version"] != version:
        return None
    named = [c.removeprefix(_CLASSIFIER) for c in told.get_all("Classifier") or () if c.startswith(_CLASSIFIER)]
    [short, *_] = told.get_all("License") or [""]
    [expression, *_] = told.get_all("License-Expression") or [""]
    return expression or (short.strip() if 0 < len(short.strip()) <= 40 else None) or " AND ".join(named) or None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    file = Path(sys.argv[1])
    made = sbom()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    silent = sum("licenses" not in one for one in made["components"])
    sys.stdout.write(f"{file}: {len(made['components'])} packages, {silent} of them without a known licence\n")


if __name__ == "__main__":
    main()
