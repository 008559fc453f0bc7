"""Documents that are the same on every machine: one way to write them, and their hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

HASH = "sha256"


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and without spaces, UTF-8. Floats are refused: they are not the same everywhere.

    >>> canonical({"b": "1.50", "a": [1, None]})
    b'{"a":[1,null],"b":"1.50"}'
    """
    _must_hold_no_float(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """The document with the hash of all the rest of it."""
    rest = {key: inner for key, inner in value.items() if key != HASH}
    return {**rest, HASH: digest(rest)}


def is_sealed(value: dict[str, Any]) -> bool:
    """Whether the hash that a document bears is that of the rest of it."""
    return bool(value.get(HASH) == sealed(value)[HASH])


def _must_hold_no_float(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; write decimals as text")
    if isinstance(value, dict):
        for inner in value.values():
            _must_hold_no_float(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _must_hold_no_float(inner)
