"""Papers as PDF, by reportlab. The same paper gives the same bytes on the same machine.

Where this machine has a font that can be embedded (`adapters.paper_fonts`), the letters that the paper uses are in the
PDF, and it looks the same everywhere. Where it has none, STSong-Light is named, which the reader has to have. The
properties of the PDF say which of the two it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import Table as Grid

from adapters.paper_fonts import FOLDERS, font_for
from energy.papers import Cell, Pairs, Paper, Seals, Table

# Of Adobe's Asian pack, which readers of PDF bring along, or have a substitute for.
_NAMED = "STSong-Light"
_WIDTH = A4[0] - 30 * mm
_LINES = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#9aa5b1")),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4),
    ]
)
_SHADE = colors.HexColor("#eef2f6")
# One at a time: a font and its letters are of the whole process.
_WRITING = Lock()


class _Styles:
    """How a paper looks in a font."""

    def __init__(self, font: str) -> None:
        self.title = ParagraphStyle("title", fontName=font, fontSize=16, leading=22, alignment=1)
        self.under = ParagraphStyle("under", self.title, fontSize=9, leading=13, spaceAfter=4 * mm)
        space = {"spaceBefore": 3 * mm, "spaceAfter": 1.2 * mm}
        self.heading = ParagraphStyle("heading", fontName=font, fontSize=10.5, leading=15, **space)
        # Chinese is broken at any letter.
        self.cell = ParagraphStyle("cell", fontName=font, fontSize=7.5, leading=10, wordWrap="CJK")
        self.right = ParagraphStyle("right", parent=self.cell, alignment=2)


def pdf_of(paper: Paper, folders: tuple[Path, ...] = FOLDERS) -> bytes:
    """The paper as a PDF, with the letters of a font of these folders where one of them has all that it uses."""
    with _WRITING:
        return _written(paper, folders)


def _written(paper: Paper, folders: tuple[Path, ...]) -> bytes:
    embedded = font_for(_text(paper), folders)
    font = embedded or UnicodeCIDFont(_NAMED)
    pdfmetrics.registerFont(font)
    styles = _Styles(font.fontName)
    made = io.BytesIO()
    margins = {"leftMargin": 15 * mm, "rightMargin": 15 * mm, "topMargin": 14 * mm, "bottomMargin": 16 * mm}
    said = {"title": paper.title, "subject": _said_of(embedded)}
    document = SimpleDocTemplate(made, pagesize=A4, invariant=1, **said, **margins)

    def foot(canvas: Canvas, _document: SimpleDocTemplate) -> None:
        canvas.setFont(font.fontName, 7)
        canvas.drawString(15 * mm, 9 * mm, paper.foot)
        canvas.drawRightString(A4[0] - 15 * mm, 9 * mm, str(canvas.getPageNumber()))

    story = [Paragraph(escape(paper.title), styles.title), Paragraph(escape(paper.subtitle), styles.under)]
    for part in paper.parts:
        story += _drawn(part, styles)
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return made.getvalue()


def _said_of(embedded: TTFont | None) -> str:
    if embedded is None:
        return f"字体未嵌入，阅读器须有宋体 Font not embedded; the reader needs {_NAMED}"
    return f"字体已嵌入 Font embedded: {embedded.face.familyName.decode(errors='replace')}"


def _text(paper: Paper) -> Iterator[str]:
    """All that is written on it."""
    yield from f"{paper.title}{paper.subtitle}{paper.foot}0123456789：…"
    for part in paper.parts:
        if isinstance(part, Seals):
            yield from "".join(f"{name}{''.join(lines)}" for name, lines in part.parties)
        else:
            columns = part.columns if isinstance(part, Table) else ()
            cells = (cell for row in part.rows for cell in row)
            yield from "".join(map(str, (part.heading, *columns, *cells)))


def _drawn(part: Pairs | Table | Seals, styles: _Styles) -> Iterator[Flowable]:
    if isinstance(part, Seals):
        yield Spacer(1, 5 * mm)
        yield KeepTogether([_seals(part, styles)])
        return
    yield Paragraph(escape(part.heading), styles.heading)
    yield _pairs(part, styles) if isinstance(part, Pairs) else _table(part, styles)


def _pairs(part: Pairs, styles: _Styles) -> Grid:
    """Two pairs beside each other."""
    cells = [[_cell(label, styles), _cell(value, styles)] for label, value in part.rows]
    if len(cells) % 2:
        cells.append([_cell("", styles), _cell("", styles)])
    rows = [[*cells[i], *cells[i + 1]] for i in range(0, len(cells), 2)]
    grid = Grid(rows or [[""] * 4], colWidths=[w * _WIDTH for w in (0.16, 0.34, 0.16, 0.34)])
    shaded = [("BACKGROUND", (column, 0), (column, -1), _SHADE) for column in (0, 2)]
    grid.setStyle(TableStyle([*_LINES.getCommands(), *shaded]))
    return grid


def _table(part: Table, styles: _Styles) -> Grid:
    widths = part.widths or [1.0] * len(part.columns)
    rows = [[_cell(name, styles) for name in part.columns], *([_cell(c, styles) for c in row] for row in part.rows)]
    grid = Grid(rows, colWidths=[w / sum(widths) * _WIDTH for w in widths], repeatRows=1)
    grid.setStyle(TableStyle([*_LINES.getCommands(), ("BACKGROUND", (0, 0), (-1, 0), _SHADE)]))
    return grid


def _seals(part: Seals, styles: _Styles) -> Grid:
    columns = [[_cell(name, styles), *(_cell(f"{line}：", styles) for line in lines)] for name, lines in part.parties]
    longest = max(len(column) for column in columns)
    rows: list[Sequence[Flowable]] = [
        [column[i] if i < len(column) else _cell("", styles) for column in columns] for i in range(longest)
    ]
    grid = Grid(rows, colWidths=[_WIDTH / len(columns)] * len(columns), rowHeights=[None, *[9 * mm] * (longest - 1)])
    grid.setStyle(TableStyle([*_LINES.getCommands(), ("BACKGROUND", (0, 0), (-1, 0), _SHADE)]))
    return grid


def _cell(value: Cell, styles: _Styles) -> Paragraph:
    if value is None:
        return Paragraph("", styles.cell)
    return Paragraph(escape(str(value)), styles.cell if isinstance(value, str) else styles.right)
