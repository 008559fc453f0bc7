"""From stored readings to a statement that both parties have: frozen, confirmed, disputed by line, taken back."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from adapters.clocks import SteppedClock
from adapters.papers_pdf import pdf_of
from adapters.papers_xlsx import workbook_of
from analytics.contracts.inputs import Adjustment
from analytics.contracts.settlement import verify
from analytics.contracts.standing import Party, StatementState, Step, StepKind
from energy.errors import EnergyError, UnknownName
from energy.life import EventKind, MeterEvent
from energy.readings import Point, to_ms
from gateway.contracts.answers import statement_words
from gateway.contracts.paper import paper_of
from gateway.contracts.service import Contracts
from gateway.ledger.books import Books, Kept
from gateway.life.service import Lives
from gateway.records.changes import logged_changes
from gateway.records.database import Records
from tests.analytics.contracts.contract_files import SAVINGS, TRUST, document
from tests.analytics.tariffs.files import tariff, version
from tests.gateway.billing.accounts import ENERGY, FIRST, FLAT, hourly, meter, site
from tests.gateway.ledger.books import books, columns

MAIN = Point("main", ENERGY)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


@dataclass
class Office:
    """A meter that counts 1 kWh an hour at half a yuan, and the contract about it."""

    contracts: Contracts
    books: Books
    store: Any
    lives: Lives
    clock: SteppedClock
    records: Records
    document: str

    async def freeze(self, first: date = JANUARY, end: date = FEBRUARY) -> int:
        return (await self.contracts.freeze("lighting", first, end, "li")).id


@pytest.fixture
async def office(records: Records, tmp_path: Path) -> AsyncIterator[Office]:
    clock = SteppedClock(datetime.fromisoformat("2026-03-10T12:00:00+08:00").astimezone(UTC))
    async with books(site([meter("main", account="1100")]), tariffs=[tariff(version(FLAT))]) as (kept, store):
        await store.write(hourly("main", 60))
        await kept.catch_up()
        contracts = Contracts(records, clock, kept, store)
        text = document(SAVINGS, tmp_path)
        await contracts.registry.bring({"lighting": text}, "li", "signed")
        weather = {JANUARY + timedelta(days=i): 2000 for i in range(70)}
        await contracts.registry.bring_weather("54511", weather, "li")
        yield Office(contracts, kept, store, Lives(records, clock), clock, records, text)


async def _agreed(office: Office, per_day: str = "30") -> None:
    made = await office.contracts.agree("lighting", "savings", Decimal(per_day), date(2025, 1, 1), JANUARY)
    await office.contracts.freeze_baseline("lighting", made, "li", "both signed")


async def test_a_month_is_settled_from_the_ledger_and_verified_from_its_file_alone(office: Office) -> None:
    await _agreed(office)

    kept = await office.contracts.freeze("lighting", JANUARY, FEBRUARY, "li", "January")

    # 31 days: 930 - 744 = 186 kWh at 0.80 are 148.80, of which 90 %.
    assert (kept.number, kept.due) == ("HT-2026-018-001", "133.92")
    found = verify(kept.text.encode())
    assert (found.faults, found.sha256) == ([], kept.sha256)
    [measured] = kept.bundle["meters"]
    assert measured["amount"] == [24_000_000] * 31
    assert measured["shares"]["measured_ms"] == 744 * 3_600_000
    assert [(r["what"], r["register"]) for r in measured["registers"]] == [("start", "1000"), ("end", "1744")]
    assert kept.bundle["clauses"][0]["metered_cost"] == "372.00"
    [logged] = await logged_changes(office.records, kinds=["statement"])
    assert (logged.change.key, (logged.change.after or {})["sha256"]) == (kept.number, kept.sha256)


async def test_a_meter_exchanged_in_the_middle_is_traced_through_both_registers(office: Office) -> None:
    await _agreed(office)
    at = FIRST + timedelta(days=10, minutes=30)
    third = Point("third", ENERGY)
    before = {FIRST + timedelta(hours=i): 1000.0 + i for i in range(241)}
    after = {FIRST + timedelta(hours=241 + i): 0.5 + i for i in range(600)}
    await office.store.write(columns({**before, **after}, third))
    event = MeterEvent("third", EventKind.EXCHANGED, to_ms(at), final_register=1240.5, initial_register=0.0)
    [number] = (await office.lives.add([event], "wang")).ids
    here = site([meter("main", account="1100"), meter("third", account="1100")])
    office.books.take(Kept(here, [event], office.books.kept.tariffs))
    await office.books.catch_up()
    text = office.document.replace("main:active", "third:active")
    await office.contracts.registry.bring({"lighting": text}, "li", "another meter")
    with pytest.raises(EnergyError, match="the baseline of savings is of main:active_energy_import"):
        await office.freeze()
    await _agreed(office)

    kept = await office.contracts.freeze("lighting", JANUARY, FEBRUARY, "li")

    [measured] = kept.bundle["meters"]
    registers = [(r["what"], r["register"], r["event"]) for r in measured["registers"]]
    assert registers == [
        ("start", "1000", None),
        ("final", "1240.5", number),
        ("initial", "0", number),
        ("end", "503.5", None),
    ]
    # 240.5 by the old meter, 503.5 by the new one: the 744 that the days add up to.
    assert sum(measured["amount"]) == 744_000_000
    [told] = statement_words(kept, []).meters
    assert (told.total, told.by_registers) == ("744.000000", "744.0")
    assert verify(kept.text.encode()).faults == []


async def test_a_statement_is_settled_once_and_again_only_after_it_was_taken_back(office: Office) -> None:
    await _agreed(office)
    first = await office.freeze()

    with pytest.raises(EnergyError, match="were settled by HT-2026-018-001; take that back first"):
        await office.freeze()
    with pytest.raises(EnergyError, match="a reversal says why"):
        await office.contracts.reverse(first, "li", " ")
    reversal = await office.contracts.reverse(first, "li", "exchange entered late")
    again = await office.contracts.freeze("lighting", JANUARY, FEBRUARY, "li")

    assert (reversal.number, reversal.due, again.number) == ("HT-2026-018-002", "-133.92", "HT-2026-018-003")
    assert verify(reversal.text.encode()).faults == []
    kept = await office.contracts.of("lighting")
    assert [(s.kind, s.standing.state) for s in kept] == [
        ("regular", StatementState.REVERSED),
        ("reversing", StatementState.FROZEN),
        ("regular", StatementState.FROZEN),
    ]
    with pytest.raises(EnergyError, match="was taken back already"):
        await office.contracts.reverse(first, "li", "twice")
    with pytest.raises(EnergyError, match="takes another statement back itself"):
        await office.contracts.reverse(reversal.id, "li", "back")


async def test_a_negative_saving_is_carried_into_the_next_statement_by_number_and_hash(office: Office) -> None:
    await _agreed(office, "20")
    january = await office.contracts.freeze("lighting", JANUARY, FEBRUARY, "li")
    await _agreed(office, "30")
    february = await office.contracts.freeze("lighting", FEBRUARY, MARCH, "li")

    # 620 - 744 = -124 kWh: -99.20, of which 90 % are carried; then 840 - 672 = 168 kWh: 134.40, 120.96.
    assert (january.due, february.due) == ("0.00", "31.68")
    assert february.bundle["carried"]["savings"] == {
        "amount": "-89.28",
        "number": january.number,
        "sha256": january.sha256,
    }
    with pytest.raises(EnergyError, match="HT-2026-018-002 rests on what HT-2026-018-001 carried forward"):
        await office.contracts.reverse(january.id, "li", "late")


async def test_both_confirm_and_a_line_is_disputed_alone(office: Office) -> None:
    await _agreed(office)
    number = await office.freeze()

    disputed = Step(StepKind.DISPUTED, Party.CLIENT, "savings.1")
    await office.contracts.take(number, disputed, "wang", "register of the 12th")
    await office.contracts.take(number, Step(StepKind.CONFIRMED, Party.ESCO), "zhao")
    kept = await office.contracts.take(number, Step(StepKind.CONFIRMED, Party.CLIENT), "wang")

    assert kept.standing.state is StatementState.CONFIRMED
    assert (kept.standing.disputed_amount, kept.standing.undisputed_amount) == (Decimal("133.92"), Decimal("0.00"))
    with pytest.raises(EnergyError, match="confirmed it already"):
        await office.contracts.take(number, Step(StepKind.CONFIRMED, Party.ESCO), "zhao")
    steps = await logged_changes(office.records, kinds=["statement_step"])
    assert [(s.who, (s.change.after or {})["kind"]) for s in steps] == [
        ("wang", "disputed"),
        ("zhao", "confirmed"),
        ("wang", "confirmed"),
    ]


async def test_what_stands_in_the_way_of_a_statement_is_said(office: Office) -> None:
    with pytest.raises(EnergyError, match="clause 'savings' has no frozen baseline yet"):
        await office.freeze()
    await _agreed(office)
    with pytest.raises(EnergyError, match="the days until 2026-04-01 have not ended yet"):
        await office.freeze(MARCH, date(2026, 4, 1))
    # Readings end with the 1st of March.
    with pytest.raises(EnergyError, match=r"2026-03-02, 2026-03-03 .*not all is known"):
        await office.freeze(MARCH, date(2026, 3, 4))
    with pytest.raises(EnergyError, match="the contract runs from 2026-01-01 to 2030-12-31"):
        await office.freeze(date(2025, 12, 1), JANUARY)
    with pytest.raises(UnknownName, match="contract 'other' is not known"):
        await office.contracts.freeze("other", JANUARY, FEBRUARY, "li")
    assert await office.contracts.of("lighting") == []


async def test_readings_that_are_not_worked_in_yet_hold_a_statement_up(office: Office) -> None:
    await _agreed(office)
    await office.store.write(columns({FIRST + timedelta(minutes=30): 1000.4}, MAIN))

    with pytest.raises(EnergyError, match="just being worked in"):
        await office.freeze()


async def test_a_baseline_is_fitted_to_the_ledger_and_frozen_version_by_version(office: Office) -> None:
    made, values = await office.contracts.fit("lighting", "savings", "daily", JANUARY, MARCH, {JANUARY: "holiday"})

    assert values.amount == [24_000_000] * 59
    assert (made.figures.n if made.figures else 0, made.excluded) == (58, {"2026-01-01": "holiday"})
    assert [c.name for c in made.checks if not c.passed] == ["span", "r2"]
    kept = await office.contracts.freeze_baseline("lighting", made, "li", "signed")
    assert (kept.baseline.plain(), kept.sha256) == (made.plain(), made.plain()["sha256"])
    with pytest.raises(EnergyError, match="was frozen meanwhile; fit it again"):
        await office.contracts.freeze_baseline("lighting", made, "li", "twice")
    with pytest.raises(UnknownName, match="clause 'other' is not in the contract; it has savings"):
        await office.contracts.fit("lighting", "other", "daily", JANUARY, MARCH, {})


async def test_an_adjustment_counts_until_it_is_withdrawn(office: Office) -> None:
    await _agreed(office)
    oven = Adjustment(0, "savings", JANUARY, FEBRUARY, 1_000_000, "1 kW x 1 h", "D-7", "", "")
    number = await office.contracts.adjust("lighting", oven, "wang", "oven")

    with_it, _ = await office.contracts.draft("lighting", JANUARY, FEBRUARY)
    await office.contracts.withdraw_adjustment(number, "wang", "was there before")
    without, _ = await office.contracts.draft("lighting", JANUARY, FEBRUARY)

    # 31 kWh more are 24.80, of which 22.32.
    assert (with_it["due"], without["due"]) == ("156.24", "133.92")
    assert with_it["adjustments"][0]["who"] == "wang"
    with pytest.raises(EnergyError, match="ends 2026-01-01, before it begins 2026-02-01"):
        await office.contracts.adjust("lighting", replace(oven, first=FEBRUARY, last=JANUARY), "wang", "oven")


async def test_weather_that_comes_again_otherwise_takes_the_place_of_what_was(office: Office) -> None:
    registry = office.contracts.registry
    assert await registry.bring_weather("54511", {JANUARY: 2000}, "li") == 0
    assert await registry.bring_weather("54511", {JANUARY: -350, date(2027, 1, 1): 0}, "li") == 2

    assert await registry.weather("54511", date(2025, 12, 31), date(2026, 1, 3)) == [None, -350, 2000]


async def test_a_trust_fee_is_settled_beside_it(office: Office, tmp_path: Path) -> None:
    await office.contracts.registry.bring({"trust": document(TRUST, tmp_path)}, "li")

    kept = await office.contracts.freeze("trust", FEBRUARY, MARCH, "li")

    assert kept.due == "57081.00"
    assert kept.bundle["clauses"][0]["metered_cost"] == "336.00"


async def test_a_contract_is_kept_version_by_version(office: Office) -> None:
    text = office.document
    registry = office.contracts.registry

    assert await registry.bring({"lighting": text}, "li") == {}
    assert await registry.bring({"lighting": text.replace("照明改造", "照明二期")}, "li", "renamed") == {"lighting": 2}
    assert [k.version for k in await registry.contracts(superseded=True)] == [1, 2]
    assert (await office.contracts.one("lighting")).contract.name.zh == "照明二期"


async def test_the_paper_holds_what_the_statement_says(office: Office) -> None:
    await _agreed(office)
    kept = await office.contracts.freeze("lighting", JANUARY, FEBRUARY, "li")
    step = Step(StepKind.DISPUTED, Party.CLIENT, "savings.1")
    paper = paper_of(await office.contracts.take(kept.id, step, "wang", "=1+1"))

    pdf, workbook = pdf_of(paper), workbook_of(paper)

    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    for part in (
        "节能效益分享结算单",
        "HT-2026-018-001",
        "133.92",
        "壹佰叁拾叁元玖角贰分",
        "盖章",
        "1744",
        "121100004000000014",
    ):
        assert part in text, part
    assert kept.sha256 in text
    assert pdf_of(paper) == pdf
    sheet = load_workbook(io.BytesIO(workbook)).worksheets[0]
    values = [v for row in sheet.iter_rows(values_only=True) for v in row if v is not None]
    assert {"本期应付（含税）", 133.92, "壹佰叁拾叁元玖角贰分", 744, "=1+1"} <= set(values)
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


async def test_the_file_that_is_given_out_is_the_one_that_was_frozen(office: Office) -> None:
    await _agreed(office)
    kept = await office.contracts.freeze("lighting", JANUARY, FEBRUARY, "li")

    again = await office.contracts.statement(kept.id)

    assert again.text == kept.text
    changed = json.loads(again.text)
    changed["lines"][0]["amount"] = "0.01"
    assert verify(json.dumps(changed).encode()).faults
    with pytest.raises(UnknownName, match="statement 999 is not known"):
        await office.contracts.statement(999)
