"""Papers as PDF carry the Chinese letters that they use, where this machine has a font that can be embedded."""

from __future__ import annotations

import io
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from adapters.paper_fonts import FOLDERS, NAMES, font_for
from adapters.papers_pdf import pdf_of
from energy.papers import Pairs, Paper, Seals, Table

PAPER = Paper(
    "节能效益分享结算单",
    "2026年1月 HT-2026-018",
    [
        Pairs("合同", [("用能单位", "市第一小学"), ("节能量 m³", Decimal("133.92"))]),
        Table("明细", ["条款", "金额 ¥"], [["分享", Decimal("133.92")], ["合计 <含税>", None]]),
        Seals([("甲方", ["盖章", "日期"]), ("乙方", ["盖章", "日期"])]),
    ],
    "第一页",
)


@pytest.fixture
def a_font() -> None:
    """Of the Debian package fonts-wqy-microhei, or any other that can be embedded."""
    if font_for("节能效益") is None:
        assert os.environ.get("JIENENG_REAL_PARTS") != "required", f"one of {', '.join(NAMES)} must be installed"
        pytest.skip("no Chinese font with TrueType outlines is installed")


def _fonts(pdf: bytes) -> list[Any]:
    """The descriptors of the fonts of a PDF."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    named = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    inner = [one.get_object() for font in named for one in font.get("/DescendantFonts", [font])]
    return [font["/FontDescriptor"].get_object() for font in inner if "/FontDescriptor" in font]


@pytest.mark.usefixtures("a_font")
def test_the_letters_of_a_paper_are_in_it_and_only_those() -> None:
    pdf = pdf_of(PAPER)

    embedded = [one for one in _fonts(pdf) if "/FontFile2" in one]
    assert embedded
    assert len(pdf) < 200_000, "a whole font would be megabytes"
    text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert all(
        part in text for part in ("节能效益分享结算单", "市第一小学", "m³", "133.92", "盖章", "¥", "<含税>", "第一页")
    )


@pytest.mark.usefixtures("a_font")
def test_a_paper_with_its_font_is_the_same_bytes_each_time_and_says_that_it_has_it() -> None:
    pdf = pdf_of(PAPER)

    assert pdf_of(PAPER) == pdf
    information = PdfReader(io.BytesIO(pdf)).metadata
    assert information is not None and str(information.subject).startswith("字体已嵌入")


def test_without_such_a_font_one_is_named_and_the_paper_says_so(tmp_path: Path) -> None:
    pdf = pdf_of(PAPER, (tmp_path,))

    assert not [one for one in _fonts(pdf) if "/FontFile2" in one]
    reader = PdfReader(io.BytesIO(pdf))
    assert reader.metadata is not None and "未嵌入" in str(reader.metadata.subject)
    assert "市第一小学" in reader.pages[0].extract_text()


def test_a_file_that_is_no_font_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).write_bytes(b"no font")

    assert font_for("节", (tmp_path,)) is None


@pytest.mark.usefixtures("a_font")
def test_a_font_that_lacks_a_letter_of_the_paper_is_not_taken() -> None:
    assert font_for("节\U0010fffd", FOLDERS) is None
