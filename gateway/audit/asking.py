"""Who asks, and from where, while a request is answered; outside of one, nobody and nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Asking:
    """A request that is being answered; `account` is empty until somebody is known to be signed in.

    trying : as whom somebody tries to sign in.
    """

    address: str = ""
    account: str = ""
    trying: str = ""


_ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)


def asking() -> Asking:
    """The request that is being answered now."""
    return _ASKING.get() or Asking()


@contextmanager
def asked_from(address: str) -> Iterator[Asking]:
    """What is done within is done for a request from there; who signs in is set on what this gives."""
    token = _ASKING.set(Asking(address))
    try:
        yield _ASKING.get() or Asking()
    finally:
        _ASKING.reset(token)
