"""`jieneng tariffs`, `bills`, `stock` and `period` as a stranger uses them, over one folder of data."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.stores import open_store
from energy.readings import Point
from jieneng.__main__ import jieneng
from tests.analytics.tariffs.files import file_text, version
from tests.gateway.ledger.books import columns

SITE = """\
site: campus
name: {zh: 园区, en: Campus}
zone: Asia/Shanghai
organisations:
- {id: bureau, name: {zh: 局, en: Bureau}}
accounts:
- {id: "1100", medium: electricity, tariff: t}
meters:
- {id: main, name: {zh: 总, en: Main}, medium: electricity, read: [active_energy_import], account: "1100"}
"""
BILLS = "account,from,to,quantity,amount,number,note\n1100,2026-01-01,2026-02-01,800,440.00,17,\n"
STOCK = "of,fuel,kind,at,quantity,unit,amount,note\norganisation/bureau,diesel,purchase,2026-01-15,40,L,320.00,\n"
FIRST = datetime.fromisoformat("2026-01-01T00:00:00+08:00")


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(jieneng, [*arguments, "--data", str(folder / "var")])


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def plain(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


async def _read(folder: Path, extra_kwh: float = 0.0) -> None:
    """A kilowatt-hour an hour in January, and something more in its last hour."""
    rows = {FIRST + timedelta(hours=i): 1000.0 + i for i in range(744)} | {FIRST + timedelta(hours=744): 1744.0}
    if extra_kwh:
        rows = {FIRST + timedelta(hours=744, minutes=30): 1744.0 + extra_kwh}
    async with open_store(f"duckdb:{folder / 'var' / 'readings.duckdb'}") as store:
        await store.write(columns(rows, Point("main", "active_energy_import")))


@pytest.fixture
def office(tmp_path: Path) -> Path:
    (tmp_path / "var").mkdir()
    asyncio.run(_read(tmp_path))
    assert run(tmp_path, "site", "import", written(tmp_path, "site.yaml", SITE), "--yes").exit_code == 0
    prices = written(tmp_path, "t.yaml", file_text(version("price: 0.50")))
    assert run(tmp_path, "tariffs", "import", prices, "--yes").exit_code == 0
    return tmp_path


def test_a_tariff_is_changed_after_its_difference_was_shown(office: Path) -> None:
    dearer = written(office, "t.yaml", file_text(version("price: 0.60")))

    refused = CliRunner().invoke(jieneng, ["tariffs", "import", dearer, "--data", str(office / "var")], input="n\n")
    assert (refused.exit_code, "nothing was changed" in refused.output) == (1, True)
    assert "versions[0].price 0.5 0.6" in plain(refused)
    changed = run(office, "tariffs", "import", dearer, "--yes", "--who", "li", "--why", "letter 13")
    assert "0 added, 1 changed" in changed.output
    assert "no difference" in run(office, "tariffs", "import", dearer).output
    shown = run(office, "tariffs", "show", "t")
    assert "price: 0.6" in shown.output and "by li, letter 13" in shown.output
    assert "t 电价 electricity kWh 示例 2026-01-01" in plain(run(office, "tariffs", "list"))


def test_what_is_shown_can_be_imported_again(office: Path) -> None:
    document = run(office, "tariffs", "show", "t").stdout

    assert "no difference" in run(office, "tariffs", "import", written(office, "again.yaml", document)).output


def test_a_bill_is_entered_once_and_compared(office: Path) -> None:
    file = written(office, "b.csv", BILLS)
    assert "1 added, 0 were there already" in run(office, "bills", "import", file).output
    assert "0 added, 1 were there already" in run(office, "bills", "import", file).output

    asked = ("bills", "reconcile", "1100", "--from", "2026-01-01", "--to", "2026-03-01")
    told = run(office, *asked)
    assert told.exit_code == 0, told.exception
    assert "800 744.000 440.00 372.00 68.00 28.00 40.00 tariff" in plain(told)
    assert "no bill for 2026-02-01 to 2026-03-01" in told.output
    [one] = json.loads(run(office, *asked, "--json").stdout)["bills"]
    assert one["difference"]["causes"]["price"] == "40.00"


def test_a_bill_that_says_otherwise_is_told_and_can_be_put_in_place_of_the_wrong_one(office: Path) -> None:
    run(office, "bills", "import", written(office, "b.csv", BILLS))
    right = written(office, "b.csv", BILLS.replace("440.00", "400.00") + "9,2026-01-01,2026-02-01,1,1.00,,\n")

    told = run(office, "bills", "import", right)
    assert told.exit_code == 1
    assert "1 added, 0 were there already" in told.output
    assert "accounts of no site: 9; is the number right?" in told.output
    assert "bill 1 says 1100 2026-01-01 to 2026-02-01: 800, 440.00 yuan: withdraw it first" in told.output
    assert run(office, "bills", "withdraw", "1", "--why", "credited", "--who", "li").exit_code == 0
    assert "1 added, 1 were there already" in run(office, "bills", "import", right).output
    assert "440.00" not in run(office, "bills", "list", "1100").output
    assert "withdrawn by li: credited" in plain(run(office, "bills", "list", "--withdrawn"))


def test_a_stock_is_entered_listed_and_withdrawn(office: Path) -> None:
    file = written(office, "s.csv", STOCK)

    assert "1 added, 0 were there already" in run(office, "stock", "import", file).output
    assert "0 added, 1 were there already" in run(office, "stock", "import", file).output
    assert "organisation/bureau diesel purchase 2026-01-15 40 L 320.00" in plain(run(office, "stock", "list"))
    other = written(office, "o.csv", STOCK.replace("bureau", "burea"))
    assert "not in the records of any site: organisation/burea" in run(office, "stock", "import", other).output
    assert run(office, "stock", "withdraw", "1", "--why", "twice").exit_code == 0
    assert "320.00" not in run(office, "stock", "list", "organisation/bureau").output


def test_a_month_is_closed_shown_and_corrected(office: Path) -> None:
    closed = run(office, "period", "close", "2026-01", "--who", "li", "--why", "report")
    assert closed.exit_code == 0, closed.exception
    assert "2026-01 is closed: 1 counters" in closed.output
    assert "2026-01 is closed already" in str(run(office, "period", "close", "2026-01").exception)
    assert "nothing differs" in run(office, "period", "show", "2026-01").output
    assert "li report" in plain(run(office, "period", "list"))

    run(office, "tariffs", "import", written(office, "t.yaml", file_text(version("price: 0.60"))), "--yes")
    assert "744.000000 744.000000 0.000000 372.000000 446.400000" in plain(run(office, "period", "show", "2026-01"))
    corrected = run(office, "period", "correct", "2026-01", "--why", "letter 13 came late")
    assert "reversal -744.000000 -372.000000" in plain(corrected)
    assert "correction 744.000000 446.400000" in plain(corrected)

    told = json.loads(run(office, "period", "show", "2026-01", "--json").stdout)
    assert (told["differing"], told["booked"], told["figures"][0]["closed"]["cost"]) == (0, 2, "372.000000")


def test_a_month_of_no_site_or_with_another_name_is_not_closed(tmp_path: Path) -> None:
    assert "the records hold no site yet" in str(run(tmp_path, "period", "list").exception)
    assert run(tmp_path, "period", "show", "January").exit_code == 2
    assert run(tmp_path, "period", "correct", "2026-01").exit_code == 2
