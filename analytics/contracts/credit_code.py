"""Unified social credit codes (统一社会信用代码): eighteen characters, the last of which checks the others."""

from __future__ import annotations

# GB 32100-2015: no I, O, S, V, Z; weights are powers of 3 modulo 31.
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code_fault(code: str) -> str | None:
    """What is wrong with a code; None where nothing is.

    >>> credit_code_fault("91350100M000100Y43")
    >>> credit_code_fault("91350100M000100Y44")
    'has the check character 4 where 3 would be right; look at the licence again'
    """
    if len(code) != 18 or any(sign not in _SIGNS for sign in code):
        return "must be a unified social credit code: 18 digits and capital letters, without I, O, S, V and Z"
    right = check_character(code[:17])
    if code[17] == right:
        return None
    return f"has the check character {code[17]} where {right} would be right; look at the licence again"


def check_character(first: str) -> str:
    """The last character of a code, from its first seventeen."""
    total = sum(_SIGNS.index(sign) * pow(3, i, 31) for i, sign in enumerate(first))
    return _SIGNS[(31 - total % 31) % 31]
