"""Money and energy as statements print them: rounded once, halves away from zero, and money in capitals (大写)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

_FIGURES = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
_DIGITS = 60


def rounded(value: Decimal, digits: int) -> Decimal:
    """To so many digits, halves away from zero; never -0.

    >>> rounded(Decimal("-2.345"), 2), rounded(Decimal("-0.001"), 2)
    (Decimal('-2.35'), Decimal('0.00'))
    """
    with localcontext(prec=_DIGITS):
        made = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return made if made else abs(made)


def divided(value: Decimal, by: Decimal, digits: int) -> Decimal:
    """A quotient, rounded once."""
    with localcontext(prec=_DIGITS):
        return rounded(value / by, digits)


def of_units(value: int, unit_digits: int, digits: int) -> Decimal:
    """A whole number of 10^-unit_digits, rounded.

    >>> of_units(123455, 4, 2)
    Decimal('12.35')
    """
    with localcontext(prec=_DIGITS):
        return rounded(Decimal(value).scaleb(-unit_digits), digits)


def capitals(amount: Decimal) -> str:
    """Yuan as they stand on a Chinese statement, as 《支付结算办法》 writes them.

    >>> capitals(Decimal("16409.02")), capitals(Decimal("-1680.32")), capitals(Decimal("107000.53"))
    ('壹万陆仟肆佰零玖元零贰分', '负壹仟陆佰捌拾元叁角贰分', '壹拾万柒仟元伍角叁分')
    """
    fen = int(rounded(abs(amount), 2) * 100)
    if fen == 0:
        return "零元整"
    yuan, jiao, fen = fen // 100, fen // 10 % 10, fen % 10
    text = f"{_whole(yuan)}元" if yuan else ""
    if jiao:
        text += f"{_FIGURES[jiao]}角"
    if fen:
        text += f"{'零' if yuan and not jiao else ''}{_FIGURES[fen]}分"
    return ("负" if amount < 0 else "") + (text if fen else f"{text}整")


def _whole(yuan: int) -> str:
    groups = []
    while yuan:
        groups.append(yuan % 10_000)
        yuan //= 10_000
    text = ""
    for i in reversed(range(len(groups))):
        group = groups[i]
        if not group:
            continue
        gap = bool(text) and (group < 1000 or (i + 1 < len(groups) and groups[i + 1] == 0))
        text += ("零" if gap else "") + _group(group) + _GROUPS[i]
    return text


def _group(group: int) -> str:
    """One to 9,999."""
    text, zero = "", False
    for i in reversed(range(4)):
        figure = group // 10**i % 10
        if figure:
            text += ("零" if zero and text else "") + _FIGURES[figure] + _PLACES[i]
        zero = not figure
    return text
