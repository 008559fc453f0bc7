"""Deliveries and quarantine lie with the ledger, and go along when it moves to a server."""

from __future__ import annotations

from pathlib import Path

from adapters.intake import DELIVERIES, QUARANTINE, open_intake
from energy.ports import Heard, Refusal
from tests.postgresql import PostgresServer

NORTH = Heard("north", "a", 1, 1000, [(1, 7)])
NEWER = Heard("north", "a", 1, 2000, [(1, 9)])


async def test_beside_a_ledger_of_files_both_are_files(tmp_path: Path) -> None:
    async with open_intake(None, tmp_path / QUARANTINE) as intake:
        await intake.deliveries.save([NORTH])
        await intake.quarantine.count("duplicate", 1)

    assert {file.name for file in tmp_path.glob("*.sqlite")} == {QUARANTINE, DELIVERIES}


async def test_a_database_takes_over_once_what_files_held(tmp_path: Path, postgres: PostgresServer) -> None:
    ledger = postgres.address(postgres.copy("template1"))
    async with open_intake(None, tmp_path / QUARANTINE) as files:
        await files.deliveries.save([NORTH])
        await files.quarantine.put([Refusal(1, "unknown meter", "x")])

    async with open_intake(ledger, tmp_path / QUARANTINE) as first:
        assert await first.deliveries.outboxes() == [NORTH]
        assert await first.quarantine.counts() == {"unknown meter": 1}
        await first.deliveries.save([NEWER])
    async with open_intake(ledger, tmp_path / QUARANTINE) as again:
        assert await again.deliveries.outboxes() == [NEWER]
        assert await again.quarantine.counts() == {"unknown meter": 1}


async def test_without_files_there_is_nothing_to_take_over(tmp_path: Path, postgres: PostgresServer) -> None:
    async with open_intake(postgres.address(postgres.copy("template1")), tmp_path / QUARANTINE) as intake:
        assert await intake.deliveries.outboxes() == []

    assert list(tmp_path.iterdir()) == []
