"""Passwords grow too old where that is set; an account is erased on request, and what it did stays."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text

from adapters.clocks import SteppedClock
from gateway.access.roles import Permission, Role
from gateway.accounts.passwords import PasswordRules
from gateway.accounts.people import Account
from gateway.accounts.service import AccountRules
from gateway.accounts.sessions import SessionRules
from gateway.accounts.tables import UserAccountRow
from gateway.audit.service import Wanted
from gateway.records.changes import logged_changes
from gateway.services import Services
from tests.gateway.accounts.visitor import EXCHANGED, PASSWORD, Client, Visitor, account

SITE = "/api/v1/site"
DAY = 86_400.0


class TestAgeing:
    @pytest.fixture
    def rules(self) -> AccountRules:
        endless = SessionRules(idle_ms=10**12, whole_ms=10**12)
        return AccountRules(PasswordRules(longest_days=90), endless)

    async def test_a_password_is_changed_after_so_many_days_and_holds_anew(
        self, services: Services, visitor: Visitor, clock: SteppedClock
    ) -> None:
        await account(services, "wang", Role.READER)
        await visitor.sign_in()
        await clock.step(90 * DAY - 1)
        await visitor.get(SITE)

        await clock.step(1)
        assert (await visitor.get("/api/v1/session"))["must_change"]
        assert (await visitor.get(SITE, 403))["text"]["zh"] == "请先修改密码"
        assert (await visitor.sign_in())["stage"] == "in"
        await visitor.get(SITE, 403)

        await visitor.post("/api/v1/password", {"old": PASSWORD, "new": "Grey-heron 28"})
        await visitor.get(SITE)
        told = [p.account.password_at_ms for p in await services.accounts.people.all()]
        assert told == [int(clock.now().timestamp() * 1000)]

    async def test_who_has_no_password_has_none_that_grows_old(self, services: Services, clock: SteppedClock) -> None:
        made = await services.accounts.people.add("li", None, services.accounts.author("t"), must_change=False)
        await clock.step(1000 * DAY)
        assert not services.accounts.must_change(made)


async def test_without_a_limit_passwords_live_on(services: Services, visitor: Visitor, clock: SteppedClock) -> None:
    await account(services, "wang", Role.READER)
    await clock.step(10_000 * DAY)
    await visitor.sign_in()
    await visitor.get(SITE)


@pytest.fixture
async def chief(services: Services, client: Client) -> Visitor:
    await account(services, "chief", Role.SECURITY_ADMINISTRATOR)
    made = Visitor(client)
    await made.sign_in("chief")
    return made


async def _kept(services: Services) -> str:
    """Everything that stands in the records, but for the audit log."""
    found = []
    async with services.accounts.people.records.reading() as connection:
        names = (await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars().all()
        for name in names:
            if not name.startswith("audit"):
                found += [str(row) for row in (await connection.execute(text(f"SELECT * FROM {name}"))).all()]
    return "\n".join(found)


async def test_an_erased_account_is_nowhere_in_the_records_and_what_it_did_stands(
    services: Services, visitor: Visitor, client: Client, chief: Visitor
) -> None:
    await account(services, "wang.li", Role.FILLER)
    await visitor.sign_in("wang.li")
    await visitor.post("/api/v1/events", {"events": [EXCHANGED], "who": "x", "why": "y"})
    scopes = {Permission.READ}
    of = (await services.accounts.people.one("wang.li")).account
    token = await services.accounts.tokens.make(of, "wang.li's", scopes, 9, services.accounts.author("wang.li"))
    await services.accounts.openid.subjects.link(of, "https://idp", "wang.li-4711", services.accounts.author("t"))
    assert "wang.li" in await _kept(services)

    erased = (await chief.post("/api/v1/accounts/erase", {"name": "Wang.Li", "why": "letter 9"}))["name"]

    assert erased == f"erased#{of.id}"
    assert "wang.li" not in await _kept(services)
    [event] = await services.lives.events()
    assert event.who == erased
    await visitor.get(SITE, 401)
    await Visitor(client).get(SITE, 401, Authorization=f"Bearer {token}")
    await Visitor(client).sign_in("wang.li", status=401)
    person = await services.accounts.people.one(erased)
    assert (person.account.erased, person.account.disabled, person.held) == (True, True, ())


async def test_the_log_tells_of_the_erasing_by_the_pseudonym_and_is_whole(services: Services, chief: Visitor) -> None:
    await account(services, "wang")
    erased = (await chief.post("/api/v1/accounts/erase", {"name": "wang"}))["name"]

    [row] = await services.audit.rows(Wanted(subject=f"user_account/{erased}"), limit=9)
    assert row.account == "chief"
    assert json.loads(row.detail)["after"] == {"erased": True}
    assert (await services.audit.verify()).fault is None
    keys = [c.change.key for c in await logged_changes(services.accounts.people.records)]
    assert "wang" not in keys


async def test_nobody_erases_himself_or_twice_and_nothing_wakes_the_erased(services: Services, chief: Visitor) -> None:
    await account(services, "wang")
    await chief.post("/api/v1/accounts/erase", {"name": "chief"}, 403)
    erased = (await chief.post("/api/v1/accounts/erase", {"name": "wang"}))["name"]

    await chief.post("/api/v1/accounts/erase", {"name": erased}, 409)
    await chief.post("/api/v1/accounts/reset", {"name": erased}, 409)
    await chief.post("/api/v1/accounts/disable", {"name": erased, "disabled": False}, 409)
    await chief.post("/api/v1/grants", {"name": erased, "role": "reader"}, 409)
    # The name is free again, and none can be called as the erased is.
    await chief.post("/api/v1/accounts", {"name": "wang"})
    await chief.post("/api/v1/accounts", {"name": "erased#99"}, 400)


async def test_another_whose_name_begins_likewise_keeps_his(services: Services, chief: Visitor) -> None:
    await account(services, "wang")
    await account(services, "wang.li", Role.READER)
    await chief.post("/api/v1/accounts/erase", {"name": "wang"})

    async with services.accounts.people.records.reading() as connection:
        names = (await connection.execute(select(UserAccountRow.name))).scalars().all()
    assert "wang.li" in names
    assert any(c.change.key.startswith("wang.li") for c in await logged_changes(services.accounts.people.records))


def test_the_age_of_a_password_counts_from_its_choosing() -> None:
    rules = PasswordRules(longest_days=1)
    assert not rules.is_too_old(0, 86_399_999)
    assert rules.is_too_old(0, 86_400_000)
    assert Account(1, "a", None, False, False, None, None, -1, 0).password_at_ms is None
