"""Who may send the readings of which meter: nobody writes with a stolen key what is another one's to say."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from energy.sites import Site

# Into so many shares the senders are parted, each of which is one process's at a time.
SHARES = 64
# Who alone sent a meter's readings up to an instant [ms]; None where anybody might.
Former = tuple[str | None, int]


@dataclass(frozen=True, slots=True)
class Senders:
    """Who alone may send the readings of a meter now, and who did before; of other meters anybody may."""

    now: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, tuple[Former, ...]] = field(default_factory=dict)

    def allow(self, meter: str, sender: str, taken_at_ms: int) -> bool:
        """Whether a reading may come from there: one that was taken while it was the sender's may come late."""
        wanted = self.now.get(meter)
        if wanted in (None, sender):
            return True
        return any(was in (None, sender) and taken_at_ms <= until for was, until in self.before.get(meter, ()))


def share_of(sender: str) -> int:
    """The share that a sender is in, by its name alone.

    >>> share_of("north"), share_of("south")
    (2, 52)
    """
    return zlib.crc32(sender.encode()) % SHARES


def senders(site: Site) -> dict[str, str]:
    """Who alone may send readings of which meter: the edge that its line names, or the sender that itself names."""
    edges = {line.id: line.edge for line in site.lines}
    named = {m.id: m.sender if m.line is None else edges.get(m.line) for m in site.meters}
    return {meter: sender for meter, sender in named.items() if sender is not None}


def joined(parts: Iterable[tuple[str, Former]]) -> dict[str, tuple[Former, ...]]:
    """What is told of meters one by one, by meter."""
    found: dict[str, tuple[Former, ...]] = {}
    for meter, former in parts:
        found[meter] = (*found.get(meter, ()), former)
    return found
