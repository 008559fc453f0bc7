"""A site as a workbook: read back as it was, and every fault told by sheet, row and column."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from openpyxl import Workbook, load_workbook

from adapters.site_book_export import write_book
from adapters.site_book_files import read_book
from adapters.site_files import read_site
from energy.errors import ConfigurationError
from energy.names import Text
from energy.organisations import Account, Organisation
from energy.sites import Site
from gateway.sites.records import difference
from tests.energy.random_sites import sites

NAME = Text("名", "name")
DEMO = Path(__file__).parents[2] / "config" / "demo.yaml"


def read_back(site: Site) -> Site:
    with TemporaryDirectory() as folder:
        write_book(site, Path(folder) / "site.xlsx")
        return read_book(Path(folder) / "site.xlsx")


# An empty cell is nothing: a line without an address, which reaches no meter, is not kept so.
@settings(max_examples=40)
@given(sites().filter(lambda site: all(line.address for line in site.lines)))
def test_any_site_has_the_same_records_when_it_is_read_back(site: Site) -> None:
    assert difference(site, read_back(site)) == []


def test_the_site_of_the_demo_goes_through_excel() -> None:
    site, _ = read_site(DEMO)

    assert difference(site, read_back(site)) == []


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "#N/A", "\tx"])
def test_what_looks_like_a_formula_is_written_as_text(name: str, tmp_path: Path) -> None:
    site = Site("s", Text(name, name), "Asia/Shanghai")
    write_book(site, tmp_path / "s.xlsx")
    cell = load_workbook(tmp_path / "s.xlsx")["site"]["B3"]

    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", name, True)
    assert read_book(tmp_path / "s.xlsx") == site


def changed(tmp_path: Path, **cells: Any) -> list[str]:
    """What is said of a workbook in which cells, named `sheet__A1`, are others."""
    organisations = (
        Organisation("city", NAME, "city", code="330300"),
        Organisation("school", NAME, "institution", "city", "021", code="91350100M000100Y43"),
    )
    site = Site("s", NAME, "Asia/Shanghai", organisations=organisations, accounts=())
    write_book(site, tmp_path / "s.xlsx")
    book = load_workbook(tmp_path / "s.xlsx")
    for where, value in cells.items():
        sheet, cell = where.split("__")
        book[sheet][cell] = value
    book.save(tmp_path / "s.xlsx")
    try:
        read_book(tmp_path / "s.xlsx")
    except ConfigurationError as error:
        return [fault.removeprefix(f"{tmp_path / 's.xlsx'}: ") for fault in error.faults]
    return []


def test_every_fault_is_told_at_once_by_sheet_row_and_column(tmp_path: Path) -> None:
    found = changed(
        tmp_path,
        institutions__E3="91350100M000100Y44",
        institutions__F3="027",
        institutions__G3="soon",
        regions__F3="330302",
        memberships__A3="school",
        memberships__B3="nobody",
    )

    text = "\n".join(found)
    assert 'institutions!E3: 统一社会信用代码 code "91350100M000100Y44"' in text
    assert "check digit should be 3" in text
    assert 'institutions!F3: 单位性质 class "027"' in text
    assert 'institutions!G3: 生效日期 from "soon": must be a day' in text
    assert 'regions!F3: 区划代码 code "330302"' in text
    assert 'memberships!B3: 隶属于 within "nobody"' in text


def test_a_region_code_that_excel_took_for_a_number_is_a_code(tmp_path: Path) -> None:
    assert changed(tmp_path, regions__F3=330300) == []


def test_a_formula_is_no_value(tmp_path: Path) -> None:
    [fault, *_] = changed(tmp_path, institutions__B3="=A3&1")

    assert fault == "institutions!B3: is a formula; enter its value"


def test_a_template_has_every_sheet_and_is_refused_as_empty(tmp_path: Path) -> None:
    write_book(None, tmp_path / "t.xlsx")

    assert "institutions" in load_workbook(tmp_path / "t.xlsx").sheetnames
    with pytest.raises(ConfigurationError, match="must be one site"):
        read_book(tmp_path / "t.xlsx")


def test_an_account_of_digits_keeps_its_zeros() -> None:
    from energy.quantities import Medium

    site = Site("s", NAME, "Asia/Shanghai", accounts=(Account("0012", Medium.ELECTRICITY),))

    assert read_back(site) == site


# -- what strangers send ----------------------------------------------------------------------------------------------


def spoilt(tmp_path: Path, parts: dict[str, bytes], replaced: str | None = None) -> Path:
    """A workbook with other parts."""
    Workbook().save(tmp_path / "good.xlsx")
    with ZipFile(tmp_path / "good.xlsx") as good, ZipFile(tmp_path / "bad.xlsx", "w", ZIP_DEFLATED) as bad:
        for name in good.namelist():
            if name != replaced:
                bad.writestr(name, good.read(name))
        for name, content in parts.items():
            bad.writestr(name, content)
    return tmp_path / "bad.xlsx"


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>'


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        ("xl/bomb.xml", b"<a>" + b" " * (8 << 20), "times its size"),
        ("xl/vbaProject.bin", b"x", "macros"),
        ("xl/externalLinks/externalLink1.xml", b"<a/>", "links to other workbooks"),
        ("../../etc/passwd.xml", b"<a/>", "leads out of the workbook"),
        ("xl/laughs.xml", LAUGHS, "declares a DTD"),
        ("xl/wide.xml", LAUGHS.decode().replace('<?xml version="1.0"?>', "").encode("utf-16"), "declares a DTD"),
    ],
)
def test_a_workbook_that_could_do_harm_is_refused_unopened(
    part: str, content: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_book(spoilt(tmp_path, {part: content}))


def test_what_is_no_zip_or_has_too_many_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.xlsx").write_text("no", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is no Excel workbook"):
        read_book(tmp_path / "text.xlsx")
    with pytest.raises(ConfigurationError, match="parts"):
        read_book(spoilt(tmp_path, {f"xl/{i}.xml": b"<a/>" for i in range(600)}))
