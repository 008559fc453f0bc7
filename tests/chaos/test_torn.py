"""A crash may leave the last piece of a file half written; what lies before it is whole, and that is enough."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.installation import installed
from tests.chaos.killing import at_length
from tests.chaos.part import Part

pytestmark = [at_length, pytest.mark.timeout(1200)]
_PAGE = 4096


def _tear(folder: Path, chance: random.Random) -> Iterator[str]:
    """Add to each log of a database what a write leaves that did not end: part of one, zeros, or what was there before.

    And leave drafts beside the small files, which are written whole under another name first.
    """
    for log in [*folder.rglob("*-wal"), *folder.rglob("*.wal")]:
        content = log.read_bytes()
        if not content:
            continue
        at = chance.randrange(len(content))
        piece = content[at : at + chance.randrange(1, 2 * _PAGE)]
        zeros, noise = bytes(chance.randrange(1, 2 * _PAGE)), chance.randbytes(chance.randrange(1, _PAGE))
        torn = chance.choice([piece, zeros, noise])
        with log.open("ab") as file:
            file.write(torn)
        yield f"{log.name} +{len(torn)}"
    for small in folder.rglob("*.json"):
        small.with_suffix(".new").write_bytes(small.read_bytes()[: chance.randrange(1, 20)])
        yield f"{small.stem}.new"


def test_files_that_end_in_half_a_write_cost_nothing_that_was_taken(tmp_path: Path, chance: random.Random) -> None:
    torn: list[str] = []
    with installed(tmp_path) as installation:
        data = {"edge": installation.edge_data, "gateway": installation.gateway_data}
        victims: list[Part] = [installation.edge, installation.gateway] * 5
        for victim in victims:
            installation.await_readings(chance.randrange(5, 60))
            installation.kill(victim)
            torn += _tear(data[victim.name], chance)
            victim.start()
            installation.up(victim)
        installation.settle()
        verdict = installation.verdict()
        print(torn)

    assert any(name.startswith("north.sqlite-wal") for name in torn)
    assert any(name.startswith("readings.duckdb.wal") for name in torn)
    assert verdict.faults == {}
