"""A site file over the API: shown before it is applied, applied as it was shown, and no way in for a stranger."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from aiohttp import ClientResponse
from openpyxl import load_workbook

from adapters.site_export import site_text
from energy.names import Text
from energy.organisations import Organisation
from energy.sites import Site
from gateway.access.roles import Role
from gateway.audit.chain import Action
from gateway.audit.service import Wanted
from gateway.services import Services
from gateway.sites.files import XLSX, YAML, book_of
from tests.gateway.accounts.conftest import profiled as site
from tests.gateway.accounts.visitor import COOKIE, Client, Visitor, account

PREVIEW, APPLY = "/api/v1/site/preview", "/api/v1/site/apply"
NAME = Text("名", "name")
SCHOOL = Organisation("school", Text("实验中学", "School"), code="91350100M000100Y43")


def wanted() -> Site:
    """The site of the tests, with a school in it."""
    return replace(site(), organisations=(SCHOOL,))


class Uploader(Visitor):
    """Sends files as they are."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._web = client

    async def send(self, path: str, content: Any, media_type: str = XLSX, **headers: str) -> ClientResponse:
        given = {"Cookie": f"{COOKIE}={self.cookie}", "X-CSRF-Token": self.csrf, "Content-Type": media_type}
        given = {name: value for name, value in {**given, **headers}.items() if value}
        return await self._web.post(path, data=content, headers={"X-Forwarded-For": "10.0.0.1", **given})

    async def preview(self, content: bytes, media_type: str = XLSX, query: str = "") -> Any:
        answer = await self.send(PREVIEW + query, content, media_type)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def apply(self, content: bytes, expected: str, status: int = 200, name: str = "site.xlsx") -> Any:
        answer = await self.send(f"{APPLY}?expected={expected}&why=letter&name={name}", content)
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)


@pytest.fixture
async def admin(services: Services, client: Client) -> Uploader:
    await account(services, "wang", Role.SYSTEM_ADMINISTRATOR)
    there = Uploader(client)
    await there.sign_in()
    return there


async def test_what_a_workbook_changes_is_shown_then_applied_and_logged(admin: Uploader, services: Services) -> None:
    book = book_of(wanted())
    shown = await admin.preview(book)

    assert shown["faults"] == []
    [change] = [c for c in shown["changes"] if c["kind"] == "organisation"]
    assert (change["key"], change["state"], change["name"]["zh"]) == ("school", "added", "实验中学")
    assert {"kind": "organisation", "added": 1, "changed": 0, "ended": 0, "removed": 0} in shown["counts"]
    assert (await services.sites.present()).organisations == ()

    done = await admin.apply(book, shown["expected"], name="2026 名.xlsx")
    assert done["total"] == shown["total"]
    assert (await services.sites.present()).organisations == (SCHOOL,)
    assert (await admin.preview(book))["total"] == 0
    [row] = await services.audit.rows(Wanted(subject="site_file/campus"), limit=5)
    for told in ('"file":"2026 名.xlsx"', f'"sha256":"{shown["sha256"]}"', '"added":1', '"why":"letter"'):
        assert told in row.detail
    assert (row.account, row.action) == ("wang", Action.CHANGE)


async def test_the_same_goes_for_yaml(admin: Uploader) -> None:
    shown = await admin.preview(site_text(wanted()).encode(), YAML)

    assert [c["key"] for c in shown["changes"] if c["state"] == "added"] == ["school"]


async def test_differences_come_page_by_page(admin: Uploader) -> None:
    many = tuple(Organisation(f"o{i:02d}", NAME) for i in range(25))
    book = book_of(replace(site(), organisations=many))
    first = await admin.preview(book, query="?limit=20")
    rest = await admin.preview(book, query=f"?limit=20&offset={first['next']}")

    keys = [c["key"] for c in first["changes"] + rest["changes"]]
    assert (len(keys), len(set(keys)), rest["next"]) == (first["total"], first["total"], None)


async def test_every_fault_is_told_by_sheet_row_and_column_and_nothing_is_saved(
    admin: Uploader, services: Services
) -> None:
    book = load_workbook(io.BytesIO(book_of(wanted())))
    book["institutions"]["E3"] = "91350100M000100Y44"
    book["places"]["A4"] = "=A3"
    changed = io.BytesIO()
    book.save(changed)
    shown = await admin.preview(changed.getvalue())

    where = {(f["sheet"], f["row"], f["column"]) for f in shown["faults"]}
    assert {("institutions", 3, "E"), ("places", 4, "A")} <= where
    assert any(f["text"]["en"] == "is a formula; enter its value" for f in shown["faults"])
    assert shown["expected"] is None
    refused = await admin.apply(changed.getvalue(), "0" * 64, 400)
    assert any("formula" in fault["en"] for fault in refused["faults"])
    assert (await services.sites.present()).organisations == ()


async def test_faults_of_yaml_are_told_by_line_without_a_word_of_where_the_file_lies(admin: Uploader) -> None:
    shown = await admin.preview(b"site: campus\nname: {zh: a, en: a}\nplaces: 7\n", YAML)

    [fault] = shown["faults"]
    assert (fault["row"], fault["sheet"]) == (3, "")
    assert "upload" not in fault["text"]["en"] and "/" not in fault["text"]["en"]


async def test_a_file_of_another_site_is_refused(admin: Uploader) -> None:
    shown = await admin.preview(book_of(replace(wanted(), id="elsewhere")))

    assert "here it is 'campus'" in shown["faults"][0]["text"]["en"]


@pytest.mark.parametrize("profile", ["/etc/own.yaml", "/etc/own.yaml/", "../own.yml", "own.yaml"])
async def test_no_file_of_the_machine_is_opened_because_an_upload_names_it(admin: Uploader, profile: str) -> None:
    first, *rest = site().meters
    shown = await admin.preview(book_of(replace(site(), meters=(replace(first, profile=profile), *rest))))

    assert any("is a file of one's own" in fault["text"]["en"] for fault in shown["faults"])


async def test_records_that_moved_on_since_the_preview_are_409(admin: Uploader, services: Services) -> None:
    book, other = book_of(wanted()), book_of(replace(site(), organisations=(Organisation("tax", NAME),)))
    shown, beside = await admin.preview(book), await admin.preview(other)
    await admin.apply(other, beside["expected"])

    refused = await admin.apply(book, shown["expected"], 409)
    assert refused["text"]["zh"] == "数据已变动，请重新比对"
    assert [o.id for o in (await services.sites.present()).organisations] == ["tax"]


async def test_another_file_than_the_one_that_was_shown_is_409(admin: Uploader) -> None:
    shown = await admin.preview(book_of(wanted()))

    await admin.apply(book_of(replace(site(), organisations=(Organisation("tax", NAME),))), shown["expected"], 409)


# -- what strangers send ---------------------------------------------------------------------------------------------


def spoilt(name: str, part: bytes) -> bytes:
    found = io.BytesIO(book_of(wanted()))
    with ZipFile(found, "a", ZIP_DEFLATED) as book:
        book.writestr(name, part)
    return found.getvalue()


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>'


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [("xl/bomb.xml", b"<a>" + b" " * (8 << 20), "times its size"), ("xl/laughs.xml", LAUGHS, "declares a DTD")],
    ids=["zip bomb", "billion laughs of XML"],
)
async def test_a_zip_bomb_and_billion_laughs_are_refused_unopened(
    admin: Uploader, part: str, content: bytes, said: str
) -> None:
    shown = await admin.preview(spoilt(part, content))

    assert said in shown["faults"][0]["text"]["en"]


async def test_billion_laughs_and_a_tower_of_brackets_in_yaml_are_refused_before_anything_is_made(
    admin: Uploader,
) -> None:
    laughs = "a0: &a0 [x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join(f'*a{i - 1}' for _ in range(10))}]\n" for i in range(1, 12)
    )
    for text, said in ((laughs, "of its aliases"), ("[" * 100_000, "nested more than 64 deep")):
        shown = await admin.preview(text.encode(), YAML)
        assert said in shown["faults"][0]["text"]["en"]


@pytest.mark.parametrize("size_is_told", [True, False])
async def test_an_oversized_file_is_413_and_other_routes_keep_their_bound(
    admin: Uploader, size_is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"x" * ((4 << 20) + 1)

    async def parts() -> Any:
        for at in range(0, len(content), 1 << 16):
            yield content[at : at + (1 << 16)]

    assert (await admin.send(PREVIEW, content if size_is_told else parts(), YAML)).status == 413
    assert (await admin.send("/api/v1/session/end", b" " * (2 << 20), "application/json")).status == 413


async def test_only_the_two_kinds_of_file_are_taken(admin: Uploader) -> None:
    for media_type in ("multipart/form-data; boundary=x", "text/plain", "application/json", "application/x-yaml"):
        assert (await admin.send(PREVIEW, b"site: campus", media_type)).status == 415
    packed = gzip.compress(b"site: campus")
    assert (await admin.send(PREVIEW, packed, YAML, **{"Content-Encoding": "gzip"})).status == 415
    assert (await admin.send(PREVIEW, b"", YAML)).status == 400
    shown = await admin.preview(b"\x00\x01 no workbook")
    assert "is no Excel workbook" in shown["faults"][0]["text"]["en"]


@pytest.mark.parametrize("path", [PREVIEW, f"{APPLY}?expected={'0' * 64}&why=x"])
async def test_foreign_pages_and_requests_without_the_word_of_the_session_are_403(admin: Uploader, path: str) -> None:
    foreign = await admin.send(path, b"site: campus", YAML, Origin="https://evil.example")
    wordless = await admin.send(path, b"site: campus", YAML, **{"X-CSRF-Token": ""})

    assert (foreign.status, wordless.status) == (403, 403)


async def test_a_name_that_leads_elsewhere_is_told_by_its_last_part_and_names_no_file(
    admin: Uploader, services: Services, tmp_path: Path
) -> None:
    book = book_of(wanted())
    shown = await admin.preview(book, query="?name=../../../etc/cron.d/x")
    await admin.apply(book, shown["expected"], name="..%2F..%2F..%5Cetc%5Cpasswd")

    [row] = await services.audit.rows(Wanted(subject="site_file/campus"), limit=1)
    assert '"file":"passwd"' in row.detail
    assert not list(tmp_path.glob("**/passwd"))


async def test_who_reads_everything_administers_nothing_and_is_sent_no_line(
    services: Services, client: Client, admin: Uploader
) -> None:
    await account(services, "li", Role.ENERGY_OFFICER)
    reader = Uploader(client)
    await reader.sign_in("li")

    for path in ("/api/v1/site/export", "/api/v1/site/template", "/api/v1/site/organisations"):
        await reader.get(path, 403)
    assert (await reader.send(PREVIEW, b"site: campus", YAML)).status == 403
    seen = await (await reader.ask("GET", "/api/v1/site/file?as=yaml")).text()
    assert "east-main" in seen and "tcp://" not in seen
    await admin.get("/api/v1/site/file", 403)


async def test_a_key_sent_again_with_another_file_is_refused(admin: Uploader) -> None:
    key = {"Idempotency-Key": "import-7"}

    assert (await admin.send(PREVIEW, b"site: campus", YAML, **key)).status == 200
    again = await admin.send(PREVIEW, b"site: campus", YAML, **key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await admin.send(PREVIEW, b"site: other", YAML, **key)).status == 409


@pytest.mark.parametrize("form", ["xlsx", "yaml"])
async def test_what_is_exported_and_sent_back_changes_nothing(admin: Uploader, services: Services, form: str) -> None:
    answer = await admin.ask("GET", f"/api/v1/site/export?as={form}")
    content = await answer.read()

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "filename*=UTF-8''%E5%9B%AD%E5%8C%BA" in answer.headers["Content-Disposition"]
    shown = await admin.preview(content, answer.content_type)
    assert (shown["faults"], shown["total"]) == ([], 0)
    [row] = await services.audit.rows(Wanted(action="export"), limit=5)
    assert (row.subject, row.account) == ("site/campus", "wang")


async def test_the_template_is_a_workbook_to_fill_in(admin: Uploader) -> None:
    answer = await admin.ask("GET", "/api/v1/site/template")

    assert "institutions" in load_workbook(io.BytesIO(await answer.read())).sheetnames
