"""What there is to choose from: virtual points, accounts and factor sets beside the trees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import cast

from msgspec import UNSET

from adapters.clocks import SteppedClock
from energy.organisations import Membership, Organisation
from energy.quantities import Medium
from energy.sites import Site, Text, VirtualPoint
from energy.validity import Validity
from gateway.api.route import NoQuery
from gateway.api.words import TextWords
from gateway.ledger.books import Books
from gateway.ledger.routes import trees
from gateway.ledger.words import AccountWords, TreeNode, TreesAnswer
from gateway.services import Services
from gateway.sites.administration import organisations
from tests.gateway.billing.accounts import ENERGY, meter, site
from tests.gateway.ledger.books import books

NAME = Text("名", "name")
JULY = date(2026, 7, 1)
TOWN = Site(
    "town",
    NAME,
    "Asia/Shanghai",
    organisations=(
        Organisation("county", NAME, "county", code="330302"),
        Organisation("education", NAME, "department"),
        Organisation("school", NAME, parent="county"),
    ),
    memberships=(Membership("school", "education", Validity(JULY, None)),),
)


async def told() -> TreesAnswer:
    both = VirtualPoint("both", Text("合计", "Both"), Medium.ELECTRICITY, ENERGY, "main + sub")
    here = replace(site([meter("main"), meter("sub")]), virtual_points=(both,))
    async with books(here) as (kept, _):
        return await trees(at(kept, datetime(2026, 7, 1, tzinfo=UTC)), NoQuery())


def at(kept: Books, moment: datetime) -> Services:
    return cast(Services, SimpleNamespace(books=kept, clock=SteppedClock(moment)))


async def test_virtual_points_are_told_as_what_can_be_asked_for() -> None:
    assert (await told()).virtual == [TreeNode(f"both:{ENERGY}", None, "virtual", TextWords("合计", "Both"))]


async def test_accounts_are_told_before_they_have_bills() -> None:
    assert (await told()).accounts == [AccountWords("1100", Medium.ELECTRICITY, "", None, "t")]


async def test_factor_sets_are_told_with_their_names() -> None:
    sets = (await told()).factor_sets

    assert all(one.name.zh and one.name.en and one.purpose.zh for one in sets)
    assert len({one.id for one in sets}) == len(sets) > 1


async def test_a_tree_tells_the_department_from_the_day_on_which_one_belongs_there_the_card_tells_the_day() -> None:
    """The day begins in the zone of the site: at 16:00 UTC of the day before."""
    async with books(TOWN) as (kept, _):
        june, july = (at(kept, datetime(2026, 6, 30, hour, tzinfo=UTC)) for hour in (15, 16))
        before, after = [(await trees(services, NoQuery())).organisations[-1] for services in (june, july)]
        card = (await organisations(june, NoQuery())).organisations[-1]

    assert (before.parent, before.within) == ("organisation/county", UNSET)
    assert (after.parent, after.within) == ("organisation/county", ["organisation/education"])
    assert [(b.within, b.from_) for b in card.within] == [("county", None), ("education", JULY)]
