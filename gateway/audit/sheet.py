"""Rows of the audit log as a file: CSV for a spreadsheet, or one JSON object a line, as it was hashed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from gateway.audit.chain import Row
from gateway.audit.verify import COLUMNS


def csv_of(rows: Sequence[Row], *, head: bool) -> str:
    """CSV; a text that a spreadsheet would compute has a ' before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if head:
        writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in asdict(row).values()] for row in rows)
    return out.getvalue()


def json_of(rows: Sequence[Row]) -> str:
    """JSON, line by line."""
    return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)


def _harmless(cell: object) -> object:
    """A text that begins like a formula is none."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
