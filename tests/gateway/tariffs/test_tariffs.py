"""Tariffs in the records: what a file changes is shown first, and what held before is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.clocks import SteppedClock
from analytics.tariffs.tariff_file import read_tariffs
from energy.errors import ConfigurationError, StoreError, UnknownName
from energy.readings import to_ms
from gateway.ledger.keeping import kept as kept_of
from gateway.records.changes import logged_changes
from gateway.records.database import Records
from gateway.tariffs.documents import documents_of, tariff_of
from gateway.tariffs.routes import half_hours_of
from gateway.tariffs.service import Tariffs
from tests.analytics.tariffs.files import CONFIG, DAY_AND_NIGHT, file_text, tariff, version
from tests.gateway.billing.accounts import FLAT
from tests.gateway.ledger.books import NOBODY

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def tariffs(records: Records) -> Tariffs:
    return Tariffs(records, SteppedClock(NOW))


def documents(folder: Path, *keys: str) -> dict[str, str]:
    (folder / "t.yaml").write_text(file_text(version(*keys)), encoding="utf-8")
    return documents_of(folder / "t.yaml")


async def entered(tariffs: Tariffs, given: dict[str, str], who: str = "li", why: str = "") -> None:
    await tariffs.apply(given, await tariffs.differences(given), who, why)


@pytest.mark.parametrize("file", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_tariff_is_the_same_out_of_its_document(file: Path) -> None:
    made = {id: tariff_of(id, text) for id, text in documents_of(file).items()}

    assert list(made.values()) == read_tariffs(file)


async def test_a_tariff_is_kept_with_who_and_why_and_what_a_file_changes_is_told_key_by_key(
    tariffs: Tariffs, tmp_path: Path
) -> None:
    await entered(tariffs, documents(tmp_path, FLAT), why="letter 12")

    [change] = await tariffs.differences(documents(tmp_path, "price: 0.60", "negative_prices: true"))

    assert (change.kind, change.key) == ("tariff", "t")
    assert change.fields == [
        ("versions[0].price", "0.5", "0.6"),
        ("versions[0].negative_prices", None, "True"),
    ]
    [kept] = await tariffs.kept()
    assert (kept.who, kept.why, kept.entered_at_ms) == ("li", "letter 12", to_ms(NOW))
    assert await tariffs.tariffs() == [tariff(version(FLAT))]


async def test_the_same_file_again_changes_nothing(tariffs: Tariffs, tmp_path: Path) -> None:
    await entered(tariffs, documents(tmp_path, FLAT))

    assert await tariffs.differences(documents(tmp_path, "# the same price\n price: 0.5")) == []


async def test_what_held_before_is_kept_and_logged(tariffs: Tariffs, records: Records, tmp_path: Path) -> None:
    await entered(tariffs, documents(tmp_path, FLAT))
    await entered(tariffs, documents(tmp_path, "price: 0.60"), "wang", "letter 13")

    old, new = await tariffs.kept(superseded=True)
    assert (old.superseded_at_ms, new.superseded_at_ms) == (to_ms(NOW), None)
    assert [one.tariff for one in await tariffs.kept()] == [new.tariff] == [(await tariffs.one("t")).tariff]
    _, logged = await logged_changes(records, kinds=["tariff"])
    assert (logged.who, logged.why, logged.change.fields) == (
        "wang",
        "letter 13",
        [("versions[0].price", "0.5", "0.6")],
    )
    with pytest.raises(UnknownName, match="tariff 'x' is not in the records"):
        await tariffs.one("x")


async def test_what_was_compared_with_older_records_is_not_applied(tariffs: Tariffs, tmp_path: Path) -> None:
    first = documents(tmp_path, FLAT)
    changes = await tariffs.differences(first)
    await entered(tariffs, documents(tmp_path, "price: 0.60"))

    with pytest.raises(StoreError, match="changed by somebody else"):
        await tariffs.apply(first, changes, "li")


async def test_other_tariffs_stay(tariffs: Tariffs, tmp_path: Path) -> None:
    await entered(tariffs, documents_of(CONFIG / "example-tou.yaml"))
    await entered(tariffs, documents(tmp_path, FLAT))

    assert [t.id for t in await tariffs.tariffs()] == ["example-tou", "t"]


async def test_the_books_know_the_tariffs_of_the_records(tariffs: Tariffs, records: Records, tmp_path: Path) -> None:
    await entered(tariffs, documents(tmp_path, FLAT))

    assert (await kept_of(records, SteppedClock(NOW), NOBODY)).tariffs == [tariff(version(FLAT))]


def test_a_wrong_file_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is more than 9000 yuan"):
        documents(tmp_path, "price: 10000")


def test_a_day_has_its_half_hours_with_band_and_price() -> None:
    hours = f"time_of_use: {{hours: {{all_year: {{every_day: {DAY_AND_NIGHT}}}}}}}"
    day_and_night = tariff(version("price: {peak: 1.00, valley: 0.40}", hours))

    told = half_hours_of(day_and_night, date(2026, 5, 1), SHANGHAI)

    assert (len(told), told[0].at) == (48, to_ms(datetime(2026, 4, 30, 16, tzinfo=UTC)))
    assert [(told[i].band, told[i].price) for i in (13, 14, 45, 46)] == [
        ("valley", "0.400000"),
        ("peak", "1.000000"),
        ("peak", "1.000000"),
        ("valley", "0.400000"),
    ]
    assert {one.price for one in half_hours_of(day_and_night, date(2025, 5, 1), SHANGHAI)} == {None}
    assert len(half_hours_of(day_and_night, date(2026, 3, 29), ZoneInfo("Europe/Berlin"))) == 46
