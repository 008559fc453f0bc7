"""What organisations used, reckoned without a word of what is hidden from the one who asks.

What a hidden meter measures behind a visible one stays with whom the visible one is of: less it, the figure would tell
what is hidden. What nobody else measures is in no figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from energy.belonging import all_above
from energy.sites import Site
from gateway.access.sight import Closed, Ownership
from gateway.ledger.books import Books
from gateway.ledger.service import Consumption


def reckoned(books: Books, closed: Closed, own: Ownership) -> Consumption:
    """The consumption of the site without what is closed."""
    kept = books.kept
    return Consumption(books.ledger, books.curves, without(kept.site, closed, own), kept.events, kept.bills)


def without(site: Site, closed: Closed, own: Ownership) -> Site:
    """The site in which closed organisations are below nobody, and closed meters behind nothing.

    A main that is shared with a closed organisation stays, with all behind it: the others have their parts of it, and
    none of them sees it.
    """
    gone = {m for m in closed.meters if not any(_is_shared(own.users[a], closed) for a in _above(m, own))}
    tops = (replace(o, parent=None) if _is_cut(o.parent, o.id, closed) else o for o in site.organisations)
    meters = (replace(m, parent=_standing(m.parent, gone, own)) for m in site.meters if m.id not in gone)
    memberships = (m for m in site.memberships if not _is_cut(m.within, m.organisation, closed))
    return replace(site, organisations=tuple(tops), memberships=tuple(memberships), meters=tuple(meters))


def touched(closed: Closed, own: Ownership) -> frozenset[str]:
    """The organisations whose figures would tell of what is closed: who uses a meter that stands before a closed one,
    whoever is above a closed organisation, and all above these."""
    users = {user for m in closed.meters for name in _above(m, own) for user in own.users[name]}
    of = users | closed.organisations
    return frozenset((of | all_above(of, own.uppers)) - closed.organisations)


def _is_cut(parent: str | None, name: str, closed: Closed) -> bool:
    return name in closed.organisations and parent not in closed.organisations


def _is_shared(users: frozenset[str], closed: Closed) -> bool:
    return bool(users & closed.organisations and users - closed.organisations)


def _above(meter: str, own: Ownership) -> Iterator[str]:
    parent = own.meters[meter].parent
    while parent is not None and parent in own.meters:
        yield parent
        parent = own.meters[parent].parent


def _standing(name: str | None, gone: set[str], own: Ownership) -> str | None:
    while name is not None and name in gone:
        name = own.listed[name].parent
    return name
