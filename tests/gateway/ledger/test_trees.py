"""What there is to choose from: virtual points, accounts and factor sets beside the trees."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from energy.quantities import Medium
from energy.sites import Text, VirtualPoint
from gateway.api.route import NoQuery
from gateway.api.words import TextWords
from gateway.ledger.routes import trees
from gateway.ledger.words import AccountWords, TreeNode, TreesAnswer
from gateway.services import Services
from tests.gateway.billing.accounts import ENERGY, meter, site
from tests.gateway.ledger.books import books


async def told() -> TreesAnswer:
    both = VirtualPoint("both", Text("合计", "Both"), Medium.ELECTRICITY, ENERGY, "main + sub")
    here = replace(site([meter("main"), meter("sub")]), virtual_points=(both,))
    async with books(here) as (kept, _):
        return await trees(cast(Services, SimpleNamespace(books=kept)), NoQuery())


async def test_virtual_points_are_told_as_what_can_be_asked_for() -> None:
    assert (await told()).virtual == [TreeNode(f"both:{ENERGY}", None, "virtual", TextWords("合计", "Both"))]


async def test_accounts_are_told_before_they_have_bills() -> None:
    assert (await told()).accounts == [AccountWords("1100", Medium.ELECTRICITY, "", None, "t")]


async def test_factor_sets_are_told_with_their_names() -> None:
    sets = (await told()).factor_sets

    assert all(one.name.zh and one.name.en and one.purpose.zh for one in sets)
    assert len({one.id for one in sets}) == len(sets) > 1
