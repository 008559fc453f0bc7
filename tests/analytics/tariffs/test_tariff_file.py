"""A tariff file is refused whole, each fault with its line and what would be right."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.tariffs.hours import Band
from analytics.tariffs.tariff import Version
from analytics.tariffs.tariff_file import read_tariffs
from analytics.tariffs.unfit import Unfit
from energy.confidence import Confidence
from tests.analytics.tariffs.files import CONFIG, DAY_AND_NIGHT, faults, file_text, tariff, version

BANDS = "price: {peak: 1.0, valley: 0.4}"


def hours(of_day: str, more: str = "") -> str:
    return f"time_of_use: {{{more}hours: {{all_year: {{every_day: {of_day}}}}}}}"


@pytest.mark.parametrize("file", sorted(CONFIG.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_shipped_examples_are_read_and_no_price_in_them_is_called_verified(file: Path) -> None:
    found = read_tariffs(file)

    assert all(v.confidence is Confidence.UNKNOWN for t in found for v in t.versions)
    assert all(c is not Confidence.VERIFIED for t in found for v in t.versions for c in v.confidences.values())


def test_each_part_says_how_well_it_is_known() -> None:
    [found] = read_tariffs(CONFIG / "example-tou.yaml")

    assert found.versions[0].confidences == {
        "version": "unknown",
        "time_of_use": "single_source",
        "basic_charge": "unknown",
        "power_factor": "recalled",
    }


def test_prices_are_the_decimals_that_were_written() -> None:
    found = tariff(version("price: 0.1"))

    assert found.versions[0].prices == {Band.NONE: Decimal("0.1")}
    assert found.version_on(date(2025, 12, 31)) is None


WRONG = {
    "an edge off the half hour": (
        [BANDS, hours("{peak: [07:15-23:00], valley: [23:00-07:00]}")],
        "5: tariffs[0].versions[0].time_of_use.hours.all_year.every_day.peak[0] = '07:15-23:00': "
        "must begin and end on the half hour, such as 07:00-10:30",
    ),
    "an overlap": (
        [BANDS, hours("{peak: [07:00-23:00], valley: [22:00-07:00]}")],
        "5: tariffs[0].versions[0].time_of_use.hours.all_year.every_day: "
        "from 22:00 to 23:00 two intervals overlap: peak and valley; a half hour is in one band",
    ),
    "a half hour without a band": (
        [BANDS, hours("{peak: [07:00-22:30], valley: [23:00-07:00]}")],
        "5: tariffs[0].versions[0].time_of_use.hours.all_year.every_day: "
        "from 22:30 to 23:00 no band is given; every half hour is in one",
    ),
    "an unknown band": (
        ["price: {peek: 1.0}"],
        "4: tariffs[0].versions[0].price.peek = 1.0: "
        "is no band; known are sharp (尖峰), peak (峰), flat (平), valley (谷), deep_valley (深谷)",
    ),
    "a band without a price": (
        ["price: {peak: 1.0}", hours(DAY_AND_NIGHT)],
        "4: tariffs[0].versions[0].price: has no price for valley, which the hours name",
    ),
    "a band without hours": (
        ["price: {peak: 1.0, valley: 0.4, sharp: 1.2}", hours(DAY_AND_NIGHT)],
        "4: tariffs[0].versions[0].price: has a price for sharp, which no hours name",
    ),
    "prices by band without hours": (
        [BANDS],
        "4: tariffs[0].versions[0].price: "
        "has prices by band, but `time_of_use` does not say when each band is; give it, or one price",
    ),
    "a negative price": (
        ["price: -0.1"],
        "4: tariffs[0].versions[0].price = -0.1: "
        "is below 0; if that is meant, say `negative_prices: true` in this version",
    ),
    "a price with too many decimals": (
        ["price: 0.1234567"],
        "4: tariffs[0].versions[0].price = 0.1234567: has more than 6 decimals; prices are in yuan",
    ),
    "a price beyond reason": (
        ["price: 1.0e+30"],
        "4: tariffs[0].versions[0].price = 1e+30: is more than 9000 yuan; prices are in yuan",
    ),
    "no number": (["price: cheap"], "4: tariffs[0].versions[0].price = 'cheap': must be a number"),
    "no price": ([], "3: tariffs[0].versions[0]: says no price; give `price`, `monthly`, `tiers` or `area`"),
    "a month that is none": (
        ["monthly: {2026-13: 0.5}"],
        "4: tariffs[0].versions[0].monthly.2026-13 = 0.5: must be a month, such as 2026-03",
    ),
    "a day in no season": (
        [BANDS, hours(DAY_AND_NIGHT, "seasons: {all_year: {days: [03-01..02-28]}}, ")],
        "5: tariffs[0].versions[0].time_of_use.seasons: from 02-29 to 02-29 is in no season; every day is in one",
    ),
    "a day in two seasons": (
        [
            BANDS,
            "time_of_use: {seasons: {a: {months: [1, 2, 3, 4, 5, 6, 7]}, b: {months: [7, 8, 9, 10, 11, 12]}}",
            f"hours: {{a: {{every_day: {DAY_AND_NIGHT}}}, b: {{every_day: {DAY_AND_NIGHT}}}}}}}",
        ],
        "5: tariffs[0].versions[0].time_of_use.seasons: from 07-01 to 07-31 is in a and b; a day is in one season",
    ),
    "a kind of day without hours": (
        [BANDS, f"time_of_use: {{hours: {{all_year: {{workday: {DAY_AND_NIGHT}, weekend: {DAY_AND_NIGHT}}}}}}}"],
        "5: tariffs[0].versions[0].time_of_use.hours.all_year: "
        "has no hours for a holiday; give `holiday` or `every_day`",
    ),
    "hours of holidays without holidays": (
        [
            BANDS,
            f"time_of_use: {{hours: {{all_year: {{every_day: {DAY_AND_NIGHT}, holiday: {{valley: [00:00-24:00]}}}}}}}}",
        ],
        "5: tariffs[0].versions[0].time_of_use.hours.all_year: has hours of holidays, but `holidays` lists none",
    ),
    "a worked day that is no weekend day": (
        [BANDS, hours(DAY_AND_NIGHT, "workdays: [2026-10-09], ")],
        "5: tariffs[0].versions[0].time_of_use.workdays: "
        "2026-10-09 is no weekend day; only weekend days are worked in stead of others",
    ),
    "steps that fall": (
        ["tiers: {period: year, steps: [{up_to: 20, price: 1}, {up_to: 10, price: 2}, {price: 3}]}"],
        "4: tariffs[0].versions[0].tiers.steps[1].up_to = 10: must be above 20, where the step begins",
    ),
    "steps that end": (
        ["tiers: {period: year, steps: [{up_to: 20, price: 1}]}"],
        "4: tariffs[0].versions[0].tiers.steps[0].up_to = 20: "
        "must be left out of the last step, which has no end; add a step without up_to",
    ),
    "an excess on prices by band": (
        [BANDS, hours(DAY_AND_NIGHT), "excess: {period: year, steps: [{multiple: 1}]}"],
        "6: tariffs[0].versions[0].excess: is a multiple of the basic price; give one `price`, not prices by band",
    ),
    "a relief beyond 1": (
        ["price: 1", "basic_charge: {demand: 40, demand_relief: {from_kwh_per_kva: 260, factor: 9}}"],
        "5: tariffs[0].versions[0].basic_charge.demand_relief.factor = 9: must be above 0, and 1 at most",
    ),
    "a power-factor table that ends early": (
        ["price: 1", "power_factor: {standard: 0.85, penalty: [{to: 0.6, percent: 1}]}"],
        "5: tariffs[0].versions[0].power_factor.penalty: must lead down to 0 in the end",
    ),
    "a misspelt key": (
        ["prise: 1"],
        "4: tariffs[0].versions[0].prise = 1: is not a key here; did you mean 'price'?",
    ),
    "an id that no address can hold": (
        ["price: 1", "components: [{id: a/b, name: {zh: 费, en: Fee}, price: 1}]"],
        "5: tariffs[0].versions[0].components[0].id = 'a/b': component id 'a/b' may hold letters, digits, "
        "'-', '_' and '.', 64 at most, and begins with a letter or digit",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(case: str) -> None:
    keys, sentence = WRONG[case]

    assert faults(file_text(version(*keys))) == [sentence]


def test_versions_that_overlap_are_refused() -> None:
    two = file_text(version("price: 1", until="2026-06-30"), version("price: 2", since="2026-06-30"))
    endless = file_text(version("price: 1"), version("price: 2", since="2026-07-01"))

    [told] = faults(two)
    assert told.startswith("3: tariffs[0].versions[0].valid_to")
    assert told.endswith("overlaps the next version; must be 2026-06-29 or before")
    assert faults(endless)[0].endswith("versions[0].valid_to: overlaps the next version; must be 2026-06-30 or before")


def test_versions_out_of_order_or_ending_before_they_begin_are_refused() -> None:
    swapped = file_text(version("price: 1", until="2026-12-31"), version("price: 2", since="2025-01-01"))

    assert faults(swapped)[0].endswith("must be after 2026-01-01: the oldest version is first")
    assert "is before valid_from" in faults(file_text(version("price: 1", until="2025-12-31")))[0]


def test_a_unit_must_be_one_of_its_medium() -> None:
    assert faults(file_text(version("price: 1"), medium="water", unit="L"))[0].endswith("must be m3 for water")
    assert "environment has no price" in faults(file_text(version("price: 1"), medium="environment"))[0]


def test_a_power_factor_is_of_electricity_alone() -> None:
    text = file_text(version("price: 1", "basic_charge: {capacity: 30}"), medium="gas", unit="m3")

    assert faults(text) == ["5: tariffs[0].versions[0].basic_charge: is of electricity, not of gas"]


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = file_text(version("price: cheap", "negative_prices: 7"), version("prise: 1", since="June"))

    assert [fault.split(":")[0] for fault in faults(text)] == ["4", "5", "6", "7"]


def test_all_that_does_not_fit_together_is_told_at_once() -> None:
    text = file_text(
        version("price: 1", "power_factor: {standard: 0.85, penalty: []}"),
        version("price: 1", hours("{peak: [07:00-23:00]}"), since="2027-01-01"),
    )

    assert [fault.split(":")[0] for fault in faults(text)] == ["5", "8", "8"]


def test_an_id_that_is_used_twice_is_refused(tmp_path: Path) -> None:
    one = file_text(version("price: 1"))

    assert faults(one + one.removeprefix("tariffs:\n"))[0].startswith("5: tariffs[1].id = 't': id 't' is used twice")


def test_a_version_made_in_code_refuses_to_be_wrong_too() -> None:
    with pytest.raises(Unfit, match="is below 0") as refused:
        Version(date(2026, 1, 1), None, "a bill", Confidence.VERIFIED, prices={Band.NONE: Decimal(-1)})

    assert [way for way, _ in refused.value.faults] == [("price",)]


@pytest.mark.parametrize(
    "keys",
    [
        ["price: null"],
        ["price: [1]"],
        ["price: {}"],
        ["price: .inf"],
        ["price: true"],
        ["monthly: 3"],
        ["price: 1", "time_of_use: {hours: {all_year: null}}"],
        ["price: 1", "time_of_use: {hours: {all_year: {every_day: {peak: [600]}}}}"],
        ["price: 1", "time_of_use: {holidays: [2026-10-07..2026-10-01], hours: {}}"],
        ["price: 1", "power_factor: {standard: 1e30, penalty: [{to: -1e30, percent: .nan}]}"],
        ["tiers: {period: week, steps: []}"],
        ["area: {price: 1, per: month, months: [13]}"],
        ["area: {price: 1, per: month, months: [1, 1]}"],
    ],
)
def test_whatever_is_written_is_refused_in_words_and_never_with_a_crash(keys: list[str]) -> None:
    assert faults(file_text(version(*keys)))
