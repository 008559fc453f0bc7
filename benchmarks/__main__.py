"""Run one benchmark or all of them, and print what they found."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

NAMES = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_") and p.stem != "parts")
# What runs parts of the others again.
TOGETHER = ("mission",)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=NAMES, help="which one; all if none is named")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--peers", action="store_true", help="let peers run their longest, too, where it takes minutes")
    parser.add_argument("--full", action="store_true", help="stores, migrate, findings: a city, 10 M readings")
    parser.add_argument("--kills", type=int, help="how often delivery kills a part: 1000, or 100 if all are run")
    given = parser.parse_args()
    kills = given.kills or (1000 if given.name else 100)
    found: dict[str, Any] = {}
    for name in [given.name] if given.name else [n for n in NAMES if n not in TOGETHER]:
        module = import_module(f"benchmarks.{name}")
        wanted = {"peers": given.peers, "kills": kills, "full": given.full}
        parameters = signature(module.run).parameters
        figures: dict[str, Any] = module.run(**{name: value for name, value in wanted.items() if name in parameters})
        found[name] = figures
        if not given.json:
            _print(name, module.__doc__ or "", figures)
    if given.json:
        json.dump(found[given.name] if given.name else found, sys.stdout, indent=2, ensure_ascii=False)
        print()


def _print(name: str, what: str, figures: dict[str, Any]) -> None:
    print(f"\n{name}: {what.strip().splitlines()[0]}")
    for figure, value in figures.items():
        if value is None or isinstance(value, dict):
            print(f"  {figure:40} {'–' if value is None else value}")
            continue
        shown = f"{value:,.3g}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"
        print(f"  {figure:40} {shown if not isinstance(value, str) else value:>14}")


if __name__ == "__main__":
    main()
