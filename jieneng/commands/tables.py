"""Tables that commands print."""

from __future__ import annotations

from typing import Any


def table(*columns: str, numbers: tuple[str, ...] = (), title: str | None = None) -> Any:
    """A table; `numbers` are the columns that stand to the right."""
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=None if title is None else escape(title), title_justify="left")
    for column in columns:
        made.add_column(
            column, overflow="fold", justify="right" if column in numbers else "left", no_wrap=column in numbers
        )
    return made


def row(made: Any, *cells: object) -> None:
    """Add a row; what is None stays empty."""
    from rich.markup import escape

    made.add_row(*("" if cell is None else escape(str(cell)) for cell in cells))


def show(made: Any) -> None:
    """Print a table."""
    from rich.console import Console

    Console(width=max(160, Console().width)).print(made)


def local(ms: int) -> str:
    """An instant as the clock here shows it."""
    from energy.readings import from_ms

    return from_ms(ms).astimezone().isoformat(sep=" ", timespec="seconds")


def entries_told(added: Any, again: str = "--again") -> list[str]:
    """What became of entries, in sentences."""
    lines = [f"{len(added.ids)} added, {added.known} were there already"]
    if added.withdrawn:
        lines.append(f"{len(added.withdrawn)} were withdrawn before and not added; {again} adds them anew")
    return lines
