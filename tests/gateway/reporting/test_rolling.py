"""Sums by region and by department: the same, however institutions move."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from analytics.reporting.filing_states import State
from analytics.reporting.filings import Filing, Filled, Origin, Size
from analytics.reporting.forms import Cell
from energy.organisations import Membership, Organisation
from energy.sites import Site, Text
from energy.validity import Validity
from gateway.reporting.rolling import Rolling, Summed, tree_of
from gateway.reporting.rows import Kept
from gateway.reporting.standing import Standing
from tests.analytics.reporting.shipped import form
from tests.gateway.ledger.books import FACTORS

NAME = Text("某", "some")
ELECTRICITY = Cell.parse("electricity.quantity")
COUNT = 6
MONTHS = [date(2026, month, 28) for month in range(1, 13)]


def standing(organisation: Organisation, period: str, kwh: int, state: State = State.ACCEPTED) -> Standing:
    cells = {ELECTRICITY: Filled(Decimal(kwh) / 100, Origin.METERS)}
    filing = Filing(organisation.id, period, cells, Size(Decimal(100), Decimal(10)))
    kept = Kept(organisation.id, "consumption", "2022", period, 1, state, 1, frozen=filing)
    return Standing(organisation, kept, filing, filing, (), {})


@st.composite
def cities(draw: st.DrawFn) -> Site:
    """Counties of a city and bureaus of bureaus; each institution moves to another bureau, or to none, in mid-year."""
    counties = [Organisation(f"c{i}", NAME, "county", parent="city") for i in range(draw(st.integers(1, 3)))]
    bureaus = [
        Organisation(f"b{i}", NAME, "department", parent=None if i == 0 else draw(st.sampled_from([None, "b0"])))
        for i in range(draw(st.integers(1, 4)))
    ]
    somewhere = st.sampled_from([None, "city", *(c.id for c in counties)])
    own = [Organisation(f"i{i}", NAME, parent=draw(somewhere)) for i in range(COUNT)]
    moves = []
    for one in own:
        day = date(2026, draw(st.integers(2, 12)), 1)
        for valid in (Validity(None, day), Validity(day, None)):
            bureau = draw(st.sampled_from([None, *(b.id for b in bureaus)]))
            moves += [] if bureau is None else [Membership(one.id, bureau, valid)]
    city = Organisation("city", NAME, "city")
    return Site("s", NAME, "Asia/Shanghai", organisations=(city, *counties, *bureaus, *own), memberships=tuple(moves))


def total(nodes: list[Summed], none: Summed, parents: Mapping[str, str | None]) -> Decimal:
    """What the topmost nodes, and those below none of them, used together."""
    tops = [one for one in nodes if one.organisation is not None and parents[one.organisation.id] is None]
    return sum((one.rolled.sums.get(ELECTRICITY, Decimal(0)) for one in (*tops, none)), Decimal(0))


@given(cities(), st.lists(st.integers(0, 10**9), min_size=COUNT * 12, max_size=COUNT * 12))
def test_sums_by_region_are_sums_by_department_in_every_month_and_in_the_year(site: Site, used: list[int]) -> None:
    own = [o for o in site.organisations if o.kind == "institution"]
    year = {"region": Decimal(0), "department": Decimal(0)}
    for number, last in enumerate(MONTHS):
        period = f"2026-{last.month:02d}"
        standings = [standing(o, period, used[number * COUNT + i]) for i, o in enumerate(own)]
        rolling = Rolling(form(), FACTORS.sets[0], period)
        whole = rolling.whole(standings).rolled.sums[ELECTRICITY]
        for tree in year:
            parents = tree_of(site, tree, last)
            nodes = rolling.by_tree(standings, site.organisations, parents)
            summed = total(nodes, rolling.of_none(standings, parents), parents)
            assert summed == whole
            year[tree] += summed
    assert year["region"] == year["department"] == Decimal(sum(used)) / 100


def test_who_moves_counts_where_he_stood_on_the_last_day_of_the_month() -> None:
    old, new = Organisation("old", NAME, "department"), Organisation("new", NAME, "department")
    school = Organisation("school", NAME)
    day = date(2026, 7, 1)
    moves = (Membership("school", "old", Validity(None, day)), Membership("school", "new", Validity(day, None)))
    site = Site("s", NAME, "Asia/Shanghai", organisations=(old, new, school), memberships=moves)

    assert tree_of(site, "department", date(2026, 6, 30))["school"] == "old"
    assert tree_of(site, "department", date(2026, 7, 31))["school"] == "new"
    assert tree_of(site, "region", date(2026, 7, 31))["school"] is None


def test_an_intensity_is_told_of_those_alone_who_all_gave_what_is_needed() -> None:
    """One used 100 kWh on 100 m2, the other has not said: half the use by the whole area would be false."""
    one, other = Organisation("one", NAME), Organisation("other", NAME)
    told = standing(one, "2026-01", 10_000)
    silent = standing(other, "2026-01", 0)
    empty = Filing("other", "2026-01", {}, silent.filing.size)
    silent = Standing(other, silent.kept, empty, empty, (), {})
    rolling = Rolling(form(), FACTORS.sets[0], "2026-01")

    assert rolling.whole([told]).indicators["electricity_per_area"].figure.value == 1
    assert rolling.whole([told, silent]).indicators["electricity_per_area"].figure.value is None
