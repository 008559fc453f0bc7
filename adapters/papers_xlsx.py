"""Papers as workbooks: one sheet, numbers as numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from adapters.workbook_pages import Page, Styled, write_workbook
from energy.papers import Pairs, Paper, Seals, Table

_TITLE_PT = 14.0
_WIDTH = 16.0

_Row = Sequence[object]


def workbook_of(paper: Paper) -> bytes:
    """The paper as a workbook."""
    rows = list(_rows(paper))
    widths = [_WIDTH] * max(len(row) for row in rows)
    made = io.BytesIO()
    write_workbook(made, [Page("结算单", rows, heads=0, widths=widths)])
    return made.getvalue()


def _rows(paper: Paper) -> Iterator[_Row]:
    yield [Styled(paper.title, bold=True, size=_TITLE_PT)]
    yield [paper.subtitle]
    for part in paper.parts:
        yield []
        match part:
            case Seals():
                yield from _seals(part)
            case Pairs():
                yield [Styled(part.heading, bold=True)]
                yield from ([Styled(label, shaded=True), value] for label, value in part.rows)
            case Table():
                yield [Styled(part.heading, bold=True)]
                yield [Styled(name, bold=True, shaded=True) for name in part.columns]
                yield from part.rows
    yield []
    yield [paper.foot]


def _seals(part: Seals) -> Iterator[_Row]:
    yield [Styled(name, bold=True) for name, _ in part.parties]
    for lines in zip_longest(*(lines for _, lines in part.parties)):
        yield ["" if line is None else f"{line}：" for line in lines]
