"""Papers as PDF, by reportlab. The same paper gives the same bytes.

Chinese is set in STSong-Light, a font of Adobe's Asian pack that readers of PDF bring along: no font file is needed on
the server, and none is in the PDF.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import Table as Grid

from energy.papers import Cell, Pairs, Paper, Seals, Table

_FONT = "STSong-Light"
_WIDTH = A4[0] - 30 * mm
_TITLE = ParagraphStyle("title", fontName=_FONT, fontSize=16, leading=22, alignment=1)
_UNDER = ParagraphStyle("under", fontName=_FONT, fontSize=9, leading=13, alignment=1, spaceAfter=4 * mm)
_HEADING = ParagraphStyle("heading", fontName=_FONT, fontSize=10.5, leading=15, spaceBefore=3 * mm, spaceAfter=1.2 * mm)
# Chinese is broken at any letter.
_CELL = ParagraphStyle("cell", fontName=_FONT, fontSize=7.5, leading=10, wordWrap="CJK")
_RIGHT = ParagraphStyle("right", parent=_CELL, alignment=2)
_LINES = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#9aa5b1")),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4),
    ]
)
_SHADE = colors.HexColor("#eef2f6")


def pdf_of(paper: Paper) -> bytes:
    """The paper as a PDF."""
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    made = io.BytesIO()
    margins = {"leftMargin": 15 * mm, "rightMargin": 15 * mm, "topMargin": 14 * mm, "bottomMargin": 16 * mm}
    document = SimpleDocTemplate(made, pagesize=A4, title=paper.title, invariant=1, **margins)

    def foot(canvas: Canvas, _document: SimpleDocTemplate) -> None:
        canvas.setFont(_FONT, 7)
        canvas.drawString(15 * mm, 9 * mm, paper.foot)
        canvas.drawRightString(A4[0] - 15 * mm, 9 * mm, str(canvas.getPageNumber()))

    story = [Paragraph(escape(paper.title), _TITLE), Paragraph(escape(paper.subtitle), _UNDER)]
    for part in paper.parts:
        story += _drawn(part)
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return made.getvalue()


def _drawn(part: Pairs | Table | Seals) -> Iterator[Flowable]:
    if isinstance(part, Seals):
        yield Spacer(1, 5 * mm)
        yield KeepTogether([_seals(part)])
        return
    yield Paragraph(escape(part.heading), _HEADING)
    yield _pairs(part) if isinstance(part, Pairs) else _table(part)


def _pairs(part: Pairs) -> Grid:
    """Two pairs beside each other."""
    cells = [[_cell(label), _cell(value)] for label, value in part.rows]
    if len(cells) % 2:
        cells.append([_cell(""), _cell("")])
    rows = [[*cells[i], *cells[i + 1]] for i in range(0, len(cells), 2)]
    grid = Grid(rows or [[""] * 4], colWidths=[w * _WIDTH for w in (0.16, 0.34, 0.16, 0.34)])
    shaded = [("BACKGROUND", (column, 0), (column, -1), _SHADE) for column in (0, 2)]
    grid.setStyle(TableStyle([*_LINES.getCommands(), *shaded]))
    return grid


def _table(part: Table) -> Grid:
    widths = part.widths or [1.0] * len(part.columns)
    rows = [[_cell(name) for name in part.columns], *([_cell(c) for c in row] for row in part.rows)]
    grid = Grid(rows, colWidths=[w / sum(widths) * _WIDTH for w in widths], repeatRows=1)
    grid.setStyle(TableStyle([*_LINES.getCommands(), ("BACKGROUND", (0, 0), (-1, 0), _SHADE)]))
    return grid


def _seals(part: Seals) -> Grid:
    columns = [[_cell(name), *(_cell(f"{line}：") for line in lines)] for name, lines in part.parties]
    longest = max(len(column) for column in columns)
    rows: list[Sequence[Flowable]] = [
        [column[i] if i < len(column) else _cell("") for column in columns] for i in range(longest)
    ]
    grid = Grid(rows, colWidths=[_WIDTH / len(columns)] * len(columns), rowHeights=[None, *[9 * mm] * (longest - 1)])
    grid.setStyle(TableStyle([*_LINES.getCommands(), ("BACKGROUND", (0, 0), (-1, 0), _SHADE)]))
    return grid


def _cell(value: Cell) -> Paragraph:
    if value is None:
        return Paragraph("", _CELL)
    return Paragraph(escape(str(value)), _CELL if isinstance(value, str) else _RIGHT)
