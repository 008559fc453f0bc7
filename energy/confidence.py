"""How well a fact is founded that was taken from elsewhere."""

from __future__ import annotations

from enum import StrEnum


class Confidence(StrEnum):
    """From best to worst; whatever is below `verified` is shown with its mark, and is confirmed before it decides."""

    VERIFIED = "verified"
    SINGLE_SOURCE = "single_source"
    RECALLED = "recalled"
    UNKNOWN = "unknown"
    # Not taken from elsewhere: the parties have agreed on it.
    AGREED = "agreed"
