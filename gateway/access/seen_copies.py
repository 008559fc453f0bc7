"""Copies of the store for who does not operate all of it."""

from __future__ import annotations

from gateway.access.seen_readings import not_of_all
from gateway.backups.service import StoreCopies
from gateway.backups.words import CopyAnswer


class ClosedCopies(StoreCopies):
    """Makes none. Nothing of the base is set."""

    def __init__(self) -> None:
        pass

    def begin(self) -> CopyAnswer:
        raise not_of_all("copies of the store")

    def state(self) -> CopyAnswer:
        raise not_of_all("copies of the store")


CLOSED_COPIES = ClosedCopies()
