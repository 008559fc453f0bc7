"""Official codes: of regions (GB/T 2260), of organisations (GB 32100-2015), of buildings, of types of institution.

Codes are checked for their form and for nesting. Which regions there are is not known here: no list is shipped.
"""

from __future__ import annotations

import re

# How many leading digits of a region code tell a region of this level; the rest are zeros.
REGION_DIGITS = {"province": 2, "city": 4, "county": 6}
REGION_KINDS = ("country", *REGION_DIGITS)
BUILDING = "building"
# 单位性质/类别 as the statistics on public institutions have it.
INSTITUTION_CLASSES = ("01", "02", "021", "022", "023", "024", "025", "026", "03")
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check_region(kind: str, code: str) -> None:
    """Refuse what is no region code of this level.

    >>> check_region("city", "330302")
    Traceback (most recent call last):
    ValueError: region code '330302' is not that of a city: it has four digits and 00, such as 330300
    """
    if kind == "country":
        raise ValueError(f"a country has no code of GB/T 2260; leave {code!r} out")
    digits = REGION_DIGITS[kind]
    if not re.fullmatch(r"[1-9]\d{5}", code, re.ASCII):
        raise ValueError(f"region code {code!r} must be of six digits, such as 330302")
    if code[digits:].strip("0") or code[digits - 2 : digits] == "00":
        right = {2: "two digits and 0000, such as 330000", 4: "four digits and 00, such as 330300"}
        must = right.get(digits, "six digits that do not end in 00, such as 330302")
        raise ValueError(f"region code {code!r} is not that of a {kind}: it has {must}")


def region_prefix(kind: str, code: str) -> str:
    """The digits with which the codes of all regions below begin."""
    return code[: REGION_DIGITS.get(kind, 0)]


def check_digit(first_17: str) -> str:
    """The last character of a unified social credit code: GB 32100-2015, weights 3^i modulo 31.

    >>> check_digit("91350100M000100Y4")
    '3'
    """
    total = sum(_CREDIT.index(sign) * pow(3, i, 31) for i, sign in enumerate(first_17))
    return _CREDIT[-total % 31]


def check_credit(code: str) -> None:
    """Refuse what is no unified social credit code (统一社会信用代码)."""
    if len(code) != 18:
        raise ValueError(f"统一社会信用代码 {code!r} has {len(code)} characters; it must have 18")
    wrong = sorted(set(code) - set(_CREDIT))
    if wrong:
        raise ValueError(f"统一社会信用代码 {code!r} may hold digits and capitals but I, O, S, V, Z; not {wrong[0]!r}")
    if code[-1] != (right := check_digit(code[:17])):
        raise ValueError(f"统一社会信用代码 {code!r}: check digit should be {right}")


def check_building(code: str) -> None:
    """Refuse what is no building code: region, a capital for the class, three digits."""
    if not re.fullmatch(r"[1-9]\d{5}[A-Z]\d{3}", code, re.ASCII):
        raise ValueError(
            f"building code {code!r} must be six digits of the region, a capital letter for the class "
            "and three digits, such as 320100A008"
        )


def check_organisation_code(kind: str, code: str) -> None:
    """Refuse a code that an organisation of this kind cannot have."""
    if kind in REGION_KINDS:
        check_region(kind, code)
    else:
        check_credit(code)


def check_place_code(kind: str, code: str) -> None:
    """Refuse a code that a place of this kind cannot have."""
    if kind != BUILDING:
        raise ValueError(f"a {kind} has no code; leave {code!r} out, or say that it is a building")
    check_building(code)


def check_class(code: str) -> None:
    """Refuse a type of institution that the statistics do not know."""
    if code not in INSTITUTION_CLASSES:
        raise ValueError(f"class {code!r} is none of {', '.join(INSTITUTION_CLASSES)}")
