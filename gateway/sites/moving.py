"""Meters that were given to another edge: what the one before has read of them may still come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from energy.senders import Former, Senders, joined, senders
from energy.sites import Site
from gateway.records.changes import LoggedChange, logged_changes
from gateway.records.database import Records

# So many of the newest changes of lines and meters are looked through.
_NEWEST = 10_000


async def senders_of(records: Records, site: Site) -> Senders:
    """Who may send which meter's readings, now and before; nobody is looked for where no line names an edge."""
    now = senders(site)
    if not now:
        return Senders()
    logged = await logged_changes(records, newest=_NEWEST, kinds=["line", "meter"])
    return Senders(now, joined(_former(site, [one for one in logged if one.site == site.id], now)))


def _former(site: Site, logged: Sequence[LoggedChange], now: dict[str, str]) -> Iterator[tuple[str, Former]]:
    """Each who sent a meter before, and until when; from the newest change back to the first."""
    edges = {line.id: line.edge for line in site.lines}
    lines = {meter.id: meter.line for meter in site.meters if meter.id in now}
    named = {meter.id: meter.sender for meter in site.meters if meter.id in now}

    def sent() -> dict[str, str | None]:
        return {m: named[m] if line is None else edges.get(line) for m, line in lines.items()}

    for one in reversed(logged):
        before = one.change.before
        if before is None or not {"edge", "line", "sender"} & {name for name, _, _ in one.change.fields}:
            continue
        after = sent()
        if one.change.kind == "line":
            edges[one.change.key] = before.get("edge")
        elif one.change.key in lines:
            lines[one.change.key], named[one.change.key] = before.get("line"), before.get("sender")
        yield from ((m, (was, one.at_ms)) for m, was in sent().items() if was != after[m])
