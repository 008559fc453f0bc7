"""What commands do alike with entries that are kept and withdrawn: bills, moves of stocks, quotas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import click

# Who keeps entries, and the records of sites beside it.
Opened = AbstractAsyncContextManager[tuple[Any, Any]]
Told = Callable[[Any], str]


def contradictions_told(added: Any, told: Told, noun: str) -> int:
    """Say what was not added, since something else is kept; the exit code of the command."""
    for one in added.contradicting:
        kept = one.kept
        other = f"{noun} {kept.id} says {told(kept.value)}: withdraw it first, if it is wrong"
        if kept.id == 0:
            other = f"the same file says {told(kept.value)}"
        click.echo(f"not added: {told(one.given)}; {other}", err=True)
    return 1 if added.contradicting else 0


def why_told(kept: Any) -> str:
    """Why an entry was entered, and why it was withdrawn if it was."""
    gone = f"withdrawn by {kept.withdrawn_by}: {kept.withdrawn_why}" if kept.withdrawn_at_ms is not None else ""
    return "; ".join(part for part in (kept.why, gone) if part)


async def entries(opened: Opened, of: Sequence[str] | None, withdrawn: bool, order: Callable[[Any], Any]) -> list[Any]:
    """The entries of some, or of all, in an order of their values."""
    async with opened as (keeping, _):
        found = await keeping.entries(of, withdrawn=withdrawn)
    return sorted(found, key=lambda kept: (order(kept.value), kept.id))


async def withdrawn(opened: Opened, entry: int, who: str, why: str) -> Any:
    """An entry, which holds no longer."""
    async with opened as (keeping, _):
        return await keeping.withdraw(entry, who, why)
