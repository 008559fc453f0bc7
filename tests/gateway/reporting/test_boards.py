"""What is kept of a month for all who ask follows the ledger, the records and the filings at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from energy.organisations import FactName, Organisation
from energy.validity import Validity
from gateway.api.problems import RequestError
from gateway.ledger.books import Kept
from gateway.records.database import Records
from gateway.reporting.answers import filings_of, rollup_of
from gateway.reporting.words import FilingsQuery, RollupQuery
from tests.gateway.billing.accounts import hourly
from tests.gateway.ledger.sites import NAME, fact, meter, site
from tests.gateway.reporting.shipped import statistics
from tests.gateway.reporting.test_statistics import JANUARY, SCHOOL, Office, office

__all__ = ["office"]


async def kept(office: Office, month: str = JANUARY) -> Decimal | None:
    standings = await office.statistics.standings(office.statistics.month(month))
    return next(s for s in standings if s.organisation.id == SCHOOL).filing.value("electricity")


async def test_a_late_reading_is_in_the_list_that_was_kept(office: Office) -> None:
    """Of March one day is known, 24 x 3 kWh; then the main is known until April, 744 x 2 kWh and the hall's day."""
    assert await kept(office, "2026-03") == Decimal("72.00")

    await office.store.write(hourly("main", 90, 2.0))
    await office.books.catch_up()

    assert await kept(office, "2026-03") == Decimal("1512.00")


async def test_what_is_entered_is_in_the_list_that_was_kept(office: Office) -> None:
    assert await kept(office) == Decimal("2232.00")

    await office.fill(electricity__quantity="2500")

    assert await kept(office) == Decimal("2500")


async def test_what_is_as_before_is_not_looked_at_again(office: Office) -> None:
    month = office.statistics.month(JANUARY)
    before = await office.statistics.standings(month)
    await office.fill(electricity__quantity="2500")

    after = await office.statistics.standings(month)

    assert [a is b for a, b in zip(before, after, strict=True)] == [False, True]


async def test_another_who_submits_meanwhile_is_seen_by_all_who_keep(office: Office, records: Records) -> None:
    """A second process on the same records, as a command beside the gateway is."""
    beside = statistics(records, office.clock, office.books, office.stock)
    assert [s.kept.state for s in await office.statistics.standings(office.statistics.month(JANUARY))] == ["draft"] * 2

    reasons = {"doubtful:diesel.quantity": "used"}
    await beside.submit(beside.month(JANUARY), SCHOOL, reasons, beside.author("approver", ""))

    listed = await filings_of(office.statistics, office.books, FilingsQuery(JANUARY, state="submitted"))
    assert [row.organisation for row in listed.filings] == [SCHOOL]


async def test_who_submitted_does_not_accept_where_people_sign_in(office: Office) -> None:
    await office.submit({"doubtful:diesel.quantity": "used"})
    month, author = office.statistics.month(JANUARY), office.statistics.author("approver", "")

    with pytest.raises(RequestError, match="approver submitted it; somebody else must accept it") as refused:
        await office.statistics.accept(month, SCHOOL, author, by_another=True)

    assert (refused.value.status, refused.value.text and refused.value.text.zh) == (
        403,
        "此表由 approver 上报，须由他人审核",
    )
    await office.statistics.accept(month, SCHOOL, office.statistics.author("reviewer", ""), by_another=True)


async def test_what_keeps_a_filing_back_is_told_one_by_one_in_both_languages(office: Office) -> None:
    with pytest.raises(RequestError) as refused:
        await office.submit()

    assert [fault.zh for fault in refused.value.faults] == ["柴油：估算 100.0%，缺失 0.0%"]


async def test_an_institution_files_for_the_months_in_which_it_was_there(office: Office) -> None:

    here = office.books.kept.site
    for valid, asked in (
        (Validity(date(2026, 2, 1), None), False),
        (Validity(None, date(2026, 1, 1)), False),
        (Validity(None, date(2026, 1, 16)), True),
    ):
        moved = [Organisation("museum", NAME, valid=valid) if o.id == "museum" else o for o in here.organisations]
        office.books.take(Kept(site(meter("main"), organisations=[o for o in moved if o.id in ("museum",)])))
        listed = await filings_of(office.statistics, office.books, FilingsQuery(JANUARY))
        assert [row.organisation for row in listed.filings] == (["museum"] if asked else [])


async def test_an_office_of_an_institution_below_another_counts_once(office: Office) -> None:
    """What the inner one used is its own, whether all are asked for or the outer one alone."""
    inner = Organisation("inner", NAME, parent=SCHOOL)
    here = site(
        meter("main", organisation=SCHOOL),
        meter("hall", organisation="inner"),
        organisations=[Organisation(SCHOOL, NAME), inner],
        facts=[fact(FactName.PEOPLE, 1, organisation=SCHOOL)],
    )
    office.books.take(Kept(here))
    await office.books.catch_up()

    alone = (await office.school()).filing.value("electricity")

    assert alone == await kept(office) == Decimal("1488.00")


async def test_who_belongs_to_none_is_told_apart_and_the_sum_is_whole(office: Office) -> None:
    told = await rollup_of(office.statistics, office.books, RollupQuery(JANUARY, "region", drafts=True))

    assert told.nodes == []
    assert told.of_none is not None
    assert told.of_none.institutions == told.whole.institutions == 2
