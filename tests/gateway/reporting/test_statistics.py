"""A month of a school: filled in from meters, bills and stock, checked, submitted, returned, accepted, added up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.clocks import SteppedClock
from analytics.reporting.filings import Origin
from analytics.reporting.forms import Cell
from energy.bills import SupplierBill
from energy.errors import EnergyError, UnknownName
from energy.organisations import Account, FactName, Organisation
from energy.quantities import Medium
from energy.stock import MoveKind, StockMove
from gateway.api.problems import RequestError
from gateway.ledger.books import Books, Kept
from gateway.records.changes import logged_changes
from gateway.records.database import Records
from gateway.reporting.answers import filing_of, filings_of, rollup_of
from gateway.reporting.refusals import MovedOn
from gateway.reporting.rows import Entered
from gateway.reporting.service import Statistics
from gateway.reporting.standing import Standing
from gateway.reporting.words import FilingQuery, FilingsQuery, RollupQuery
from gateway.stock.service import Stock
from tests.analytics.tariffs.files import tariff, version
from tests.gateway.billing.accounts import FLAT, hourly
from tests.gateway.ledger.books import books
from tests.gateway.ledger.sites import NAME, fact, meter, site
from tests.gateway.reporting.shipped import statistics

JANUARY = "2026-01"
SCHOOL = "school"


@dataclass
class Office:
    statistics: Statistics
    books: Books
    stock: Stock
    clock: SteppedClock
    store: Any

    async def school(self) -> Standing:
        return await self.statistics.standing(self.statistics.month(JANUARY), SCHOOL)

    async def fill(self, revision: int | None = None, **values: str | None) -> None:
        cells = {
            Cell.parse(name.replace("__", ".")): Entered(None if value is None else Decimal(value), "by hand")
            for name, value in values.items()
        }
        author = self.statistics.author("filler", "")
        await self.statistics.fill(self.statistics.month(JANUARY), SCHOOL, cells, author, revision)

    async def submit(self, reasons: dict[str, str] | None = None) -> None:
        author = self.statistics.author("approver", "")
        await self.statistics.submit(self.statistics.month(JANUARY), SCHOOL, reasons or {}, author)

    async def returned(self, why: str) -> None:
        author = self.statistics.author("reviewer", why)
        await self.statistics.give_back(self.statistics.month(JANUARY), SCHOOL, author)

    async def accept(self) -> None:
        month, author = self.statistics.month(JANUARY), self.statistics.author("reviewer", "")
        await self.statistics.accept(month, SCHOOL, author)


def water(quantity: str, amount: str, start: date = date(2026, 1, 1), end: date = date(2026, 2, 1)) -> SupplierBill:
    return SupplierBill("water", start, end, Decimal(quantity), Decimal(amount), "W-1")


@pytest.fixture
async def office(records: Records) -> AsyncIterator[Office]:
    """The school counts 2 kWh an hour, its hall 1 more, at half a yuan; its water is known by bills alone."""
    clock = SteppedClock(datetime.fromisoformat("2026-02-03T12:00:00+08:00").astimezone(UTC))
    here = site(
        meter("main", account="1100", organisation=SCHOOL),
        meter("hall", account="1200", organisation="hall"),
        organisations=[
            Organisation("education", NAME, "department"),
            Organisation(SCHOOL, NAME, parent="education", institution_class="021"),
            Organisation("hall", NAME, "office", parent=SCHOOL),
            Organisation("museum", NAME, parent="education"),
        ],
        accounts=[
            Account("1100", Medium.ELECTRICITY, organisation=SCHOOL, tariff="t"),
            Account("1200", Medium.ELECTRICITY, organisation="hall", tariff="t"),
            Account("water", Medium.WATER, organisation=SCHOOL),
        ],
        facts=[fact(FactName.AREA_M2, 8000, organisation=SCHOOL), fact(FactName.PEOPLE, 400, organisation=SCHOOL)],
    )
    stock = Stock(records, clock)
    await stock.add(
        [
            StockMove(
                f"organisation/{SCHOOL}", "diesel", MoveKind.PURCHASE, date(2026, 1, 9), Decimal(40), "L", Decimal(300)
            )
        ],
        "clerk",
    )
    async with books(here, tariffs=[tariff(version(FLAT))], bills=[water("620", "3100.50")]) as (kept, store):
        await store.write(hourly("main", 60, 2.0))
        await store.write(hourly("hall", 60, 1.0))
        await kept.catch_up()
        yield Office(statistics(records, clock, kept, stock), kept, stock, clock, store)


async def test_the_form_is_filled_in_from_meters_bills_and_stock(office: Office) -> None:
    """744 hours of 2 and 1 kWh at half a yuan; the water bill of the month; 40 L of diesel for 300 yuan."""
    cells = {str(c): (str(f.value), f.origin) for c, f in (await office.school()).filing.cells.items()}

    assert cells == {
        "electricity.quantity": ("2232.00", Origin.METERS),
        "electricity.fee": ("1116.00", Origin.METERS),
        "water.quantity": ("620.00", Origin.BILLS),
        "water.fee": ("3100.50", Origin.BILLS),
        "diesel.quantity": ("40.00", Origin.STOCK),
        "diesel.fee": ("300.00", Origin.STOCK),
    }


async def test_what_was_only_bought_is_said_to_be_estimated(office: Office) -> None:
    [doubtful] = (await office.school()).faults

    assert doubtful.rule.id == "doubtful"
    assert doubtful.text.en == "diesel: 100.0% estimated, 0.0% missing"


async def test_a_bill_of_part_of_the_month_fills_no_fee(office: Office) -> None:
    half = water("310", "1550.25", end=date(2026, 1, 16)), water("330", "1650", date(2026, 1, 16), date(2026, 2, 10))
    office.books.take(Kept(office.books.kept.site, (), office.books.kept.tariffs, half))

    cells = (await office.school()).filing.cells

    # 310 of the first bill, and 16 of the 25 days of the second
    assert cells[Cell.parse("water.quantity")].value == Decimal("521.20")
    assert Cell.parse("water.fee") not in cells


async def test_indicators_are_of_the_month_under_a_named_factor_set(office: Office) -> None:
    told = await filing_of(office.statistics, FilingQuery(JANUARY, SCHOOL))

    found = {one.id: (one.value, one.factor_set) for one in told.indicators}
    # (2232 x 0.1229 + 40 L x 0.86 kg/L x 1.4571) kgce = 274.3128 + 50.12424 over 8,000 m2 and 400 persons
    assert found["energy_per_area"] == (Decimal("0.040555"), "equivalent-2023-national")
    assert found["energy_per_person"] == (Decimal("0.811093"), "equivalent-2023-national")
    assert found["water_per_person"] == (Decimal("1.55"), None)


async def test_the_whole_way_with_a_return(office: Office, records: Records) -> None:
    """Warnings need a reason, a return says why, what was submitted stands, and every step is kept."""
    with pytest.raises(RequestError, match=r"\[doubtful:diesel.quantity\] diesel: 100.0% estimated"):
        await office.submit()
    await office.submit({"doubtful:diesel.quantity": "tank filled in January, used by the end"})
    with pytest.raises(RequestError, match="that is submitted cannot be taken to fill"):
        await office.fill(water__quantity="630")
    await office.returned("the second water meter is missing")
    await office.fill(water__quantity="630", water__fee="3150.50")
    await office.submit()
    await office.accept()

    told = await filing_of(office.statistics, FilingQuery(JANUARY, SCHOOL))
    assert [(s.step, s.who, s.why) for s in told.steps] == [
        ("submit", "approver", ""),
        ("return", "reviewer", "the second water meter is missing"),
        ("submit", "approver", ""),
        ("accept", "reviewer", ""),
    ]
    assert (told.state, told.revision) == ("accepted", 5)
    logged = [
        c.change.after["state"] for c in await logged_changes(records) if c.change.kind == "filing" and c.change.after
    ]
    assert logged == ["submitted", "returned", "returned", "submitted", "accepted"]


async def test_what_was_submitted_stands_and_shows_what_would_differ_now(office: Office) -> None:
    await office.submit({"doubtful:diesel.quantity": "used"})
    corrected = Kept(office.books.kept.site, (), office.books.kept.tariffs, [water("600", "3000")])
    office.books.take(corrected)

    told = await filing_of(office.statistics, FilingQuery(JANUARY, SCHOOL))

    differing = {c.cell: (c.value, c.now) for c in told.cells if c.differs}
    assert differing == {
        "water.quantity": (Decimal("620.00"), Decimal("600.00")),
        "water.fee": (Decimal("3100.50"), Decimal("3000.00")),
    }


async def test_an_entry_takes_the_place_of_its_source_until_it_is_taken_back(office: Office) -> None:
    water_cell = Cell.parse("water.quantity")
    await office.fill(water__quantity="630")
    assert (await office.school()).filing.cells[water_cell].origin is Origin.ENTERED
    await office.fill(water__quantity=None)
    assert water_cell not in (await office.school()).filing.cells

    await office.statistics.fill(
        office.statistics.month(JANUARY), SCHOOL, {water_cell: None}, office.statistics.author("filler", "")
    )

    assert (await office.school()).filing.cells[water_cell].value == Decimal("620.00")


async def test_an_error_cannot_be_explained_away(office: Office) -> None:
    await office.fill(electricity__quantity=None, electricity__fee=None)
    reasons = {"doubtful:diesel.quantity": "used", "needed:electricity.quantity": "no time"}

    with pytest.raises(RequestError, match=r"\[needed:electricity.quantity\] electricity is empty"):
        await office.submit(reasons)


async def test_two_who_write_at_once_notice_each_other(office: Office) -> None:
    await office.fill(0, water__quantity="630")

    with pytest.raises(MovedOn, match=r"revision 1, you saw 0"):
        await office.fill(0, water__quantity="640")


async def test_what_is_wrong_is_refused_in_words(office: Office) -> None:
    month = office.statistics.month(JANUARY)
    author = office.statistics.author("filler", "")
    with pytest.raises(UnknownName, match="'hall' is no institution that files for 2026-01"):
        await office.statistics.standing(month, "hall")
    with pytest.raises(EnergyError, match=r"has no cell wood.quantity"):
        await office.statistics.fill(month, SCHOOL, {Cell.parse("wood.quantity"): None}, author)
    with pytest.raises(EnergyError, match="say why it is entered by hand"):
        await office.statistics.fill(month, SCHOOL, {Cell.parse("water.fee"): Entered(Decimal(1), " ")}, author)
    with pytest.raises(EnergyError, match="say why it is returned"):
        await office.returned(" ")
    february = office.statistics.month("2026-02")
    with pytest.raises(RequestError, match="2026-02 is not over; it can be submitted from 2026-03-01 on"):
        await office.statistics.submit(february, SCHOOL, {}, author)


async def test_who_has_not_submitted_is_late_from_the_ninth_on(office: Office) -> None:
    async def late() -> list[str]:
        found = await filings_of(office.statistics, office.books, FilingsQuery(JANUARY, late=True))
        return [row.organisation for row in found.filings]

    assert await late() == []
    await office.clock.step((datetime(2026, 2, 8, 16, tzinfo=UTC) - office.clock.now()).total_seconds())
    assert await late() == [SCHOOL, "museum"]
    await office.submit({"doubtful:diesel.quantity": "used"})
    assert await late() == ["museum"]


async def test_sums_are_of_what_was_submitted_and_say_how_many_are_missing(office: Office) -> None:
    await office.submit({"doubtful:diesel.quantity": "used"})

    told = await rollup_of(office.statistics, office.books, RollupQuery(JANUARY, "department"))

    assert (told.whole.institutions, told.whole.counted, told.whole.states) == (2, 1, {"submitted": 1, "draft": 1})
    assert [node.organisation for node in told.nodes] == ["education"]
    [electricity] = [c for c in told.nodes[0].cells if c.cell == "electricity.quantity"]
    assert (electricity.value, electricity.filings) == (Decimal("2232.00"), 1)


async def test_a_filing_of_a_year_before_is_what_it_is_compared_with(office: Office) -> None:
    """In the year after, the school uses a tenth: the warning names what was submitted a year before."""
    await office.submit({"doubtful:diesel.quantity": "used"})
    await office.clock.step((datetime(2027, 2, 3, tzinfo=UTC) - office.clock.now()).total_seconds())
    month, author = office.statistics.month("2027-01"), office.statistics.author("filler", "")
    entered = {Cell.parse("electricity.quantity"): Entered(Decimal("223.2"), "meter read by hand")}
    await office.statistics.fill(month, SCHOOL, entered, author)

    faults = {f.rule.id: f for f in (await office.statistics.standing(month, SCHOOL)).faults}

    assert faults["electricity-last-year"].text.en == "electricity -90.0% on last year's 2232.00, beyond ±30%"
