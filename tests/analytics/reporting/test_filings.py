"""Filings: their energy under two factor sets, and their sums."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from analytics.reporting.figures import Figure
from analytics.reporting.filings import Filing, Filled, Origin, Size, as_filing, energy_of, figure_of, rolled_up
from analytics.reporting.forms import Cell
from analytics.reporting.indicators import indicators
from tests.analytics.carbon.shipped import book
from tests.analytics.reporting.shipped import filing, form

EQUIVALENT = "equivalent-2023-national"
SCHOOL = filing(
    {
        "electricity.quantity": "20000",
        "water.quantity": "600",
        "natural_gas.quantity": "1000",
        "petrol.quantity": "100",
        "petrol_vehicles.quantity": "60",
    }
)


def test_the_energy_of_a_filing_counts_no_part_twice_and_no_water() -> None:
    # 20,000 x 0.1229 + 1,000 x 1.33 + 100 L x 0.73 kg/L x 1.4714 = 2,458 + 1,330 + 107.4122
    converted = energy_of(form(), SCHOOL, book().set(EQUIVALENT), 2025)

    assert converted is not None
    assert converted.kgce == Decimal("3895.4122")


def test_three_indicators_under_two_factor_sets() -> None:
    def of(name: str) -> list[str]:
        found = indicators(
            energy_of(form(), SCHOOL, book().set(name), 2025),
            electricity_kwh=figure_of(form(), SCHOOL, "electricity"),
            water_m3=figure_of(form(), SCHOOL, "water"),
            area_m2=Figure(SCHOOL.size.area_m2, "m2"),
            people=Figure(SCHOOL.size.people, "person"),
        )
        wanted = ("energy_per_area", "energy_per_person", "water_per_person")
        return [f"{found[i].figure.value:.4f}" for i in wanted]

    # 3,895.4122 / 8,000 and / 400; 600 / 400
    assert of(EQUIVALENT) == ["0.4869", "9.7385", "1.5000"]
    # by Shandong's set of 2019: 20,000 x 0.31 + 1,000 x 1.2143 + 107.4122 = 7,521.7122: twice as much of the same use
    assert of("shandong-db37") == ["0.9401", "18.8024", "1.5000"]


def test_energy_is_not_known_where_a_needed_item_is_empty() -> None:
    assert energy_of(form(), filing({"water.quantity": "600"}), book().set(EQUIVALENT), 2025) is None


def test_an_intensity_of_a_sum_is_known_only_where_every_size_is() -> None:
    other = Filing("office", "2026-06", SCHOOL.cells, Size(None, Decimal(30)))

    rolled = rolled_up([SCHOOL, other])

    assert (rolled.filings, rolled.without_area, rolled.without_people) == (2, 1, 0)
    assert as_filing(rolled, "city", "2026-06").size == Size(None, Decimal(430))


figures = st.decimals("-1000000", "1000000", places=6)


@given(st.lists(st.tuples(figures, st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_sums_by_region_equal_sums_by_department(given_: list[tuple[Decimal, int, int]]) -> None:
    """Whatever tree the institutions are added up along, the whole is the same to the last digit."""
    cell = Cell.parse("water.quantity")
    filings = [Filing(f"i{n}", "2026-06", {cell: Filled(v, Origin.ENTERED)}) for n, (v, _, _) in enumerate(given_)]

    def along(tree: int) -> Decimal:
        groups = {key[tree] for key in given_}
        parts = (rolled_up(f for f, key in zip(filings, given_, strict=True) if key[tree] == g) for g in groups)
        return sum((part.sums[cell] for part in parts), Decimal(0))

    assert along(1) == along(2) == rolled_up(filings).sums.get(cell, Decimal(0))
