"""Copies of the store as the API tells them."""

from __future__ import annotations

from typing import Literal

import msgspec


class CopyOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing is to be said: all of the store is copied."""


class CopyAnswer(msgspec.Struct):
    """A copy of the store as of `at`; its `file` is whole when it is `ready`, on the machine of the gateway.

    `share` is how much of it is written, roughly; `cause` says why one `failed`.
    """

    id: str
    at: int
    state: Literal["copying", "ready", "failed"]
    file: str
    share: float
    cause: str = ""
