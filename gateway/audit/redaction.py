"""What must not stand in the audit log in clear: secrets are left out, phone numbers are masked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

HIDDEN = "***"
_NAMES = (
    r"pass(?:word|wd|phrase)|secret|token|credential|authorization|cookie|api[_-]?key|private[_-]?key"
    r"|(?<![a-z])t?otp(?![a-z])|recovery[_-]?code|密码|口令|密钥|令牌"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
_PHONE_NAME = re.compile("phone|mobile|telephone|手机|电话", re.IGNORECASE)
# 138 1234 5678, +86 138-1234-5678, 0571-88123456; digits of full width are met in pasted text.
_MOBILE = re.compile(r"(?<!\d)((?:(?:\+|00)?86[- ]?)?[1１][3-9３-９]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)")
# Without a separator it would be the address of a DL/T 645 meter.
_LANDLINE = re.compile(r"(?<!\d)(0[1-9]\d{1,2})[- ]\d{3,4}(\d{4})(?!\d)")
# Both kinds end in four of them.
_DIGITS = re.compile(r"\d{4}")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_SAID = re.compile(rf"({_NAMES})([\"']?\s*(?:[=:：]|是|为)\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&，；]+)", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(://[^/\s:@]*):[^@\s/]+@")


def cleared(value: Any, name: str = "") -> Any:
    """A value of JSON without secrets, its phone numbers masked; `name` is the key that it stands under."""
    if value is not None and _is_secret(name) and not isinstance(value, bool):
        return HIDDEN
    if isinstance(value, str):
        return clear_text(value)
    if isinstance(value, Mapping):
        return {_cleared_name(str(key)): cleared(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [cleared(inner, name) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and _PHONE_NAME.search(name):
        return clear_text(str(value))
    return value if value is None or isinstance(value, bool | int | float) else clear_text(str(value))


def clear_text(text: str) -> str:
    """A text likewise."""
    if any(mark in text for mark in "=:：是为 "):
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
        text = _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text)
        text = _SAID.sub(rf"\1\2{HIDDEN}", text)
    if _DIGITS.search(text):
        text = _MOBILE.sub(r"\1****\2", text)
        text = _LANDLINE.sub(r"\1-****\2", text)
    return text


# The names of columns come again and again.
_is_secret = lru_cache(1024)(lambda name: _SECRET_NAME.search(name) is not None)
_cleared_name = lru_cache(1024)(clear_text)
