"""What is told to the log, found in it, and let go after its time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.clocks import SteppedClock
from energy.errors import EnergyError
from gateway.audit.asking import asked_from
from gateway.audit.chain import Action, Outcome
from gateway.audit.service import Audit, Wanted
from gateway.audit.words import detail_of
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records
from tests.gateway.audit.logs import Log, tamper

DAY_S = 86_400


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def audit(records: Records, clock: SteppedClock) -> Audit:
    return Audit(records, clock)


async def test_a_change_tells_who_from_where_and_what_was_before(records: Records, audit: Audit) -> None:
    change = Change("meter", "east", {"ct": 100}, {"ct": 200})
    with asked_from("10.0.0.7") as asked:
        asked.account = "li"
        async with records.writing() as connection:
            await log_changes(connection, [change], Author("Li Hua", "order 7", 5), "campus")

    [row] = await audit.rows(Wanted(), limit=9)
    assert (row.account, row.address, row.action, row.subject, row.outcome) == (
        "li",
        "10.0.0.7",
        "change",
        "meter/east",
        "done",
    )
    told = {"who": "Li Hua", "why": "order 7", "site": "campus", "before": {"ct": 100}, "after": {"ct": 200}}
    assert detail_of(row) == told


async def test_a_change_without_a_request_is_of_who_says_so_and_closing_is_approving(
    records: Records, audit: Audit
) -> None:
    async with records.writing() as connection:
        await log_changes(connection, [Change("closing", "2026-05", None, {})], Author("wang", "", 5))

    [row] = await audit.rows(Wanted(), limit=9)
    assert (row.account, row.address, row.action) == ("wang", "", "approve")


async def test_rows_are_found_by_time_account_action_and_subject(audit: Audit, clock: SteppedClock) -> None:
    await audit.record(Action.SIGN_IN, "account/li", account="li")
    await clock.step(10)
    await audit.record(Action.REFUSED, "request", account="li", outcome=Outcome.REFUSED)
    await audit.record(Action.SIGN_IN, "account/wang", account="wang")
    middle = 1_767_225_605_000

    async def seqs(**wanted: object) -> list[int]:
        return [row.seq for row in await audit.rows(Wanted(**wanted), limit=9)]  # type: ignore[arg-type]

    assert await seqs() == [3, 2, 1]
    assert (await seqs(from_ms=middle), await seqs(to_ms=middle)) == ([3, 2], [1])
    assert await seqs(account="li") == [2, 1]
    assert await seqs(action="sign_in") == [3, 1]
    assert (await seqs(subject="account/li"), await seqs(subject="account/")) == ([1], [3, 1])
    assert [row.seq for row in await audit.rows(Wanted(), limit=1, before=3)] == [2]
    assert [row.seq for row in await audit.rows(Wanted(), limit=2, after=0)] == [1, 2]


async def test_rows_are_kept_for_their_days_and_the_chain_stays_right(audit: Audit, clock: SteppedClock) -> None:
    for _ in range(4):
        await audit.record(Action.SIGN_IN, "account/li", account="li")
        await clock.step(100 * DAY_S)

    # Rows of days 0, 100, 200 and 300; today is day 400.
    assert await audit.prune(365) == 1
    assert await audit.prune(365) == 0
    assert await audit.prune(180) == 2
    rows = await audit.rows(Wanted(), limit=9)

    assert [(r.seq, r.action) for r in rows] == [(6, "prune"), (5, "prune"), (4, "sign_in")]
    assert detail_of(rows[0])["seq"] == 3
    finding = await audit.verify()
    assert (finding.rows, finding.fault) == (3, None)


async def test_a_log_of_which_all_is_old_goes_on_from_its_pruning(audit: Audit, clock: SteppedClock) -> None:
    await audit.record(Action.SIGN_IN, "account/li")
    await clock.step(400 * DAY_S)

    assert await audit.prune() == 1
    await audit.record(Action.SIGN_IN, "account/li")
    assert (await audit.verify()).fault is None


async def test_less_than_half_a_year_is_refused(audit: Audit) -> None:
    with pytest.raises(EnergyError, match="180 days at least, not 179"):
        await audit.prune(179)


async def test_a_log_that_is_not_whole_is_not_pruned(audit: Audit, clock: SteppedClock, log: Log) -> None:
    await audit.record(Action.SIGN_IN, "account/li")
    await clock.step(400 * DAY_S)
    await tamper(log, "UPDATE audit SET account = 'eve'")

    with pytest.raises(EnergyError, match="not pruned: row 1 was changed"):
        await audit.prune()
    assert len(await audit.rows(Wanted(), limit=9)) == 1
