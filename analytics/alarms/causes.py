"""One cause, one alarm: sixty meters that fall silent with their gateway are one thing that happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

# Of the meters on one line, or behind one edge, so many silent ones are the line's or the edge's fault.
_OF_LINE, _OF_EDGE = 0.5, 0.8
_FEWEST = 2
# So many causes of silence are told apart; what is more is one thing that befell the site.
MOST_CAUSES = 8
SITE = "silence/site"


@dataclass(frozen=True, slots=True)
class Wiring:
    """How meters are reached: the line and the edge of each, where it has one."""

    line_of: Mapping[str, str] = field(default_factory=dict)
    edge_of: Mapping[str, str] = field(default_factory=dict)

    def behind(self, of: Mapping[str, str]) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for name in of.values():
            found[name] += 1
        return found


def of_silence(
    silent: Collection[str], wiring: Wiring, offline: Collection[str] = (), known: Collection[str] = ()
) -> dict[str, list[str]]:
    """The silent meters by what has silenced them.

    offline : edges that are known to be gone. known : causes that there is an open alarm of.

    Returns
    -------
    cause -> meters; causes are silence/edge/ID, silence/line/ID, silence/meter/ID and silence/site.
    """
    left = set(silent)
    found: dict[str, list[str]] = {}
    for kind, of, share, certain in (
        ("edge", wiring.edge_of, _OF_EDGE, set(offline)),
        ("line", wiring.line_of, _OF_LINE, set[str]()),
    ):
        sizes = wiring.behind(of)
        for name, own in sorted(_grouped(left, of).items()):
            if name in certain or (len(own) >= _FEWEST and len(own) >= share * sizes[name]):
                found[f"silence/{kind}/{name}"] = sorted(own)
                left -= own
    found |= {f"silence/meter/{meter}": [meter] for meter in sorted(left)}
    return _bounded(found, known)


def _grouped(meters: Iterable[str], of: Mapping[str, str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for meter in meters:
        if meter in of:
            groups[of[meter]].add(meter)
    return groups


def _bounded(found: dict[str, list[str]], known: Collection[str]) -> dict[str, list[str]]:
    """Where there are too many, those that nobody was told of yet are the site's."""
    new = [cause for cause in found if cause not in known]
    if len(new) + sum(cause.startswith("silence/") for cause in known) <= MOST_CAUSES and SITE not in known:
        return found
    if len(new) <= 1 and SITE not in known:
        return found
    together = sorted(meter for cause in new for meter in found[cause])
    left = {cause: meters for cause, meters in found.items() if cause in known and cause != SITE}
    return {**left, SITE: together} if together else left
