"""What is written for spreadsheets."""

from __future__ import annotations


def harmless(cell: object) -> object:
    """A text that begins like a formula is none: a `'` stands before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
