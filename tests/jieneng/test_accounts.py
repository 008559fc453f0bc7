"""Accounts from the command line, on the records of a folder; and a gateway that asks who comes."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner, Result

from adapters.clocks import SystemClock
from energy.errors import EnergyError, StoreError
from gateway.access.roles import Permission
from gateway.accounts.door import AccountsDoor
from gateway.accounts.secrecy import open_seal
from gateway.accounts.service import Accounts
from gateway.api.problems import problems
from gateway.api.route import NoQuery, Route, register
from gateway.records.database import open_records
from jieneng.__main__ import jieneng
from jieneng.commands.run import parts
from jieneng.running import asked
from jieneng.settings import Settings, load_settings
from tests.gateway.doors import Opened


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(jieneng, ["accounts", *arguments, "--data", str(folder)])


def done(folder: Path, *arguments: str) -> str:
    result = run(folder, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output.strip()


def test_an_account_is_made_granted_shown_and_revoked(tmp_path: Path) -> None:
    first = done(tmp_path, "add", "Wang.Li", "--why", "letter 12").removeprefix("first password: ")
    done(tmp_path, "grant", "wang.li", "filler", "--organisation", "town-hall")
    done(tmp_path, "grant", "wang.li", "partner", "--meter", "a", "--meter", "b", "--to", "2031-06-01T00:00:00+08:00")

    shown = done(tmp_path, "list")
    assert len(first) > 15
    assert all(word in shown for word in ("wang.li", "must change", "filler", "town-hall", "a, b", "2031"))
    assert done(tmp_path, "revoke", "1") == "of wang.li"
    assert "filler" not in done(tmp_path, "list")
    done(tmp_path, "disable", "wang.li")
    assert "disabled" in done(tmp_path, "list")
    assert done(tmp_path, "reset", "wang.li") != first
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grant", "wang", "audit_administrator"], "three accounts"),
        (["grant", "wang", "partner"], "meters of its contract"),
        (["grant", "wang", "system_administrator", "--organisation", "x"], "whole installation"),
        (["grant", "li", "reader"], "li is not known"),
        (["add", "wang"], "already"),
        (["add", "../x"], "letters, digits"),
        (["token", "wang", "--scope", "read", "--days", "1000"], "366"),
        (["revoke", "7"], "grant 7"),
    ],
)
def test_what_cannot_be_is_refused_in_words(tmp_path: Path, arguments: list[str], said: str) -> None:
    done(tmp_path, "add", "wang")
    done(tmp_path, "grant", "wang", "security_administrator")

    result = run(tmp_path, *arguments)

    assert isinstance(result.exception, EnergyError)
    assert said in str(result.exception)


def test_a_link_for_the_first_administrator_is_printed(tmp_path: Path) -> None:
    address = done(tmp_path, "first-link", "--listen", "127.0.0.1:9000")

    assert address.startswith("http://127.0.0.1:9000/#/first?link=")


class Words(msgspec.Struct):
    """What is answered."""

    who: str = "nobody"


async def heard(_services: Opened, _query: NoQuery) -> Words:
    return Words("somebody")


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """A gateway that asks who comes, on the records of a folder."""
    async with open_records(load_settings(None, data=tmp_path).records_address) as records:
        accounts = Accounts(records, SystemClock(), open_seal(tmp_path / "secret.key"))
        app = web.Application(middlewares=[problems])
        route = Route("/heard", "", Permission.READ, NoQuery, Words, heard)
        register(app, (route,), Opened(door=AccountsDoor(accounts, SystemClock())))
        async with TestServer(app) as server:
            yield Settings(listen=f"127.0.0.1:{server.port}", data=tmp_path)


async def test_a_command_shows_its_token_to_a_gateway_that_asks(settings: Settings) -> None:
    def ask(token_file: Path | None) -> Words:
        from dataclasses import replace

        return asked(replace(settings, token_file=token_file), "/heard", {}, Words, StoreError("held"))

    with pytest.raises(EnergyError, match="--token-file"):
        await asyncio.to_thread(ask, None)
    with pytest.raises(EnergyError, match="gives no token"):
        await asyncio.to_thread(ask, settings.data / "none")

    def made() -> Path:
        done(settings.data, "add", "wang")
        done(settings.data, "grant", "wang", "reader")
        file = settings.data / "token.txt"
        file.write_text(done(settings.data, "token", "wang", "--scope", "read") + "\n", encoding="ascii")
        return file

    assert (await asyncio.to_thread(ask, await asyncio.to_thread(made))).who == "somebody"


def gateway_of(settings: Settings) -> list[str]:
    [gateway] = [list(p.command) for p in parts(settings, logs=None) if p.name == "gateway"]
    return gateway


def test_a_gateway_asks_who_comes_unless_told_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(json.dumps({"accounts": "off", "behind_tls": True}), encoding="utf-8")
    site: dict[str, Any] = {"site": tmp_path / "site.yaml", "data": tmp_path / "var"}

    assert "required" in gateway_of(load_settings(None, **site))
    told = gateway_of(load_settings(file, **site))
    assert told[told.index("--accounts") + 1] == "off"
    assert "--behind-tls" in told


PROVIDER = "{id: gov, name: {zh: 名, en: name}, issuer: https://sso.example, client_id: jieneng}"


def test_an_account_is_linked_to_an_identity_once_and_unlinked(tmp_path: Path) -> None:
    file = tmp_path / "oidc.yaml"
    file.write_text(f"page: https://energy.example/\nproviders: [{PROVIDER}]\n", encoding="utf-8")
    done(tmp_path, "add", "wang")

    done(tmp_path, "link", "wang", "4711", "--providers", str(file))

    assert "https://sso.example" in done(tmp_path, "links", "wang")
    again = run(tmp_path, "link", "wang", "4711", "--providers", str(file))
    assert "linked to an account already" in str(again.exception)
    other = run(tmp_path, "link", "wang", "4712", "--providers", str(file), "--provider", "city")
    assert "name one of gov" in str(other.exception)
    done(tmp_path, "unlink", "1")
    assert "https://sso.example" not in done(tmp_path, "links", "wang")


def test_an_account_is_erased_when_that_was_confirmed(tmp_path: Path) -> None:
    done(tmp_path, "add", "wang")

    assert run(tmp_path, "erase", "wang").exit_code == 1
    assert "wang" in done(tmp_path, "list")
    assert done(tmp_path, "erase", "wang", "--yes").strip() == "now called erased#1"
    assert "wang" not in done(tmp_path, "list")
