"""The statistics over HTTP: a file that is told in the log, and what is refused with its status."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from openpyxl import load_workbook

from gateway.app import application
from gateway.audit.chain import Action
from gateway.audit.service import Wanted
from gateway.reporting.refusals import MovedOn
from gateway.services import Services
from tests.gateway.reporting.test_statistics import JANUARY, SCHOOL, Office, office
from tests.gateway.test_api import Client, clock, services  # noqa: F401

__all__ = ["office"]


@pytest.fixture
async def client(services: Services, office: Office) -> AsyncIterator[Client]:  # noqa: F811
    of_school = replace(services, statistics=office.statistics, books=office.books)
    async with TestClient(TestServer(application(of_school))) as made:
        yield made


async def test_the_month_is_a_file_with_a_chinese_name_and_stands_in_the_log(
    client: Client,
    services: Services,  # noqa: F811
) -> None:
    answer = await client.get(f"/api/v1/statistics/export?month={JANUARY}&drafts=true")

    assert answer.status == 200
    assert quote("公共机构能源资源消费统计 2026-01.xlsx") in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    book = load_workbook(BytesIO(await answer.read()), read_only=True)
    assert [row[0] for row in book["消费状况"].iter_rows(values_only=True)][1:] == [SCHOOL, "museum"]
    [row] = await services.audit.rows(Wanted(action=Action.EXPORT), limit=5)
    assert row.subject == f"statistics/{JANUARY}"


async def test_who_saw_an_older_revision_is_told_so_with_409(client: Client) -> None:
    cell = {"cell": "water.quantity", "value": "630", "why": "bill 7"}
    body = {"month": JANUARY, "organisation": SCHOOL, "revision": 0, "who": "tian", "cells": [cell]}
    assert (await client.post("/api/v1/statistics/fill", json=body)).status == 200

    answer = await client.post("/api/v1/statistics/fill", json=body)

    told = await answer.json()
    assert (answer.status, told["text"]["zh"]) == (409, str(MovedOn(SCHOOL, JANUARY, 1, 0).text.zh))  # type: ignore[union-attr]


async def test_what_is_no_cell_and_no_figure_is_refused_in_both_languages(client: Client) -> None:
    body = {"month": JANUARY, "organisation": SCHOOL, "revision": 0, "who": "tian"}
    for cell, said in ((("water", "1"), "单元格 water"), (("water.quantity", "NaN"), "不是数字")):
        cells = [{"cell": cell[0], "value": cell[1], "why": "x"}]
        answer = await client.post("/api/v1/statistics/fill", json={**body, "cells": cells})
        assert answer.status == 400
        assert said in (await answer.json())["text"]["zh"]
