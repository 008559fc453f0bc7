"""Lists that grow are told page by page: `limit` so many, and `next` is the `cursor` of what follows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from gateway.api.problems import RequestError

T = TypeVar("T")


def page_of(
    items: Sequence[T], key: Callable[[T], tuple[Any, ...]], limit: int, cursor: str | None
) -> tuple[list[T], str | None]:
    """The first `limit` of the items that are ordered by `key` and stand behind the cursor, and the next cursor.

    The cursor is a key: what is added or goes meanwhile neither repeats nor hides another.
    """
    if cursor is not None:
        behind = key_of(cursor)
        try:
            items = [item for item in items if key(item) > behind]
        except TypeError as error:
            raise RequestError("cursor is not one of this list") from error
    page = list(items[:limit])
    return page, cursor_of(key(page[-1])) if len(items) > len(page) else None


def last_page_of(
    items: Sequence[T], key: Callable[[T], tuple[Any, ...]], limit: int, cursor: str | None
) -> tuple[list[T], str | None]:
    """The last `limit` before the cursor, in their order, and the cursor of what stands before these."""
    if cursor is not None:
        before = key_of(cursor)
        try:
            items = [item for item in items if key(item) < before]
        except TypeError as error:
            raise RequestError("cursor is not one of this list") from error
    page = list(items[-limit:])
    return page, cursor_of(key(page[0])) if len(items) > len(page) else None


def cursor_of(key: tuple[Any, ...]) -> str:
    """A key as it travels; what stands in it is nobody's business."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_of(cursor: str) -> tuple[Any, ...]:
    """And back; RequestError where it is none."""
    try:
        return tuple(msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list))
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise RequestError("cursor is not one that was given; ask without it for the first page") from error
