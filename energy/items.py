"""What energy is used for: classes (电, 水, ...) and, for electricity alone, groups and items within (分项).

A code has five characters: two digits of the class, the letter of the group, the digit of the item, and one that is 0
here. In YAML a code of digits alone must stand in quotes: 02000 without them is read as the octal number 1024.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from energy.confidence import Confidence
from energy.errors import UnknownName
from energy.sites import Text

_CLASSES = "guides of the housing ministry (MOHURD) of 2008 on collecting energy by item; the text was not at hand"
_ITEMS = "the same guides, by one copy of their table of items"


@dataclass(frozen=True, slots=True)
class Item:
    """A class, group or item; `uncertain` says what of it may be otherwise in the official table."""

    code: str
    short: str
    name: Text
    parent: str | None
    source: str
    confidence: Confidence
    uncertain: str = ""


def _class(number: str, zh: str, en: str) -> Item:
    return Item(f"{number}000", number, Text(zh, en), None, _CLASSES, Confidence.RECALLED)


def _of_electricity(short: str, zh: str, en: str, uncertain: str = "") -> Item:
    code, parent = f"01{short:0<3}", "01000" if len(short) == 1 else f"01{short[0]}00"
    confidence = Confidence.RECALLED if uncertain else Confidence.SINGLE_SOURCE
    return Item(code, short, Text(zh, en), parent, _ITEMS, confidence, uncertain)


_ORDER = "copies differ on which of D2 and D3 is kitchens and which is laundry"

_ALL: tuple[Item, ...] = (
    _class("01", "电", "electricity"),
    _of_electricity("A", "照明插座用电", "lighting and sockets"),
    _of_electricity("A1", "室内照明与插座", "indoor lighting and sockets"),
    _of_electricity("A2", "走廊与应急照明", "corridor and emergency lighting"),
    _of_electricity("A3", "室外景观照明", "outdoor and landscape lighting"),
    _of_electricity("B", "空调用电", "air conditioning"),
    _of_electricity("B1", "冷热站", "cooling and heating plant"),
    _of_electricity("B2", "空调末端", "air-conditioning terminals"),
    _of_electricity("C", "动力用电", "power"),
    _of_electricity("C1", "电梯", "lifts"),
    _of_electricity("C2", "水泵", "water pumps"),
    _of_electricity("C3", "通风机", "fans"),
    _of_electricity("D", "特殊用电", "special uses"),
    _of_electricity("D1", "信息中心", "data centre"),
    _of_electricity("D2", "厨房餐厅", "kitchens and canteens", _ORDER),
    _of_electricity("D3", "洗衣房", "laundry", _ORDER),
    _of_electricity("D4", "游泳池", "swimming pool"),
    _of_electricity("D5", "健身房", "gymnasium"),
    _of_electricity("D6", "其他", "other special uses"),
    _class("02", "水", "water"),
    _class("03", "燃气", "gas"),
    _class("04", "集中供热量", "district heat"),
    _class("05", "集中供冷量", "district cooling"),
    _class("06", "其他能源", "other energy"),
    _class("07", "煤", "coal"),
    _class("08", "液化石油气", "liquefied petroleum gas"),
    _class("09", "人工煤气", "manufactured gas"),
    _class("10", "汽油", "petrol"),
    _class("11", "煤油", "kerosene"),
    _class("12", "柴油", "diesel"),
    _class("13", "可再生能源", "renewable energy"),
)

ITEMS: dict[str, Item] = {i.code: i for i in _ALL}
_BY_SHORT: dict[str, Item] = {i.short: i for i in _ALL}


def item(code: str) -> Item:
    """The item of a code, or of its short form.

    >>> item("01A10") is item("A1")
    True
    >>> item("01-A10")
    Traceback (most recent call last):
    energy.errors.UnknownName: item '01-A10' is not known; did you mean '01A10'?
    """
    found = ITEMS.get(code) or _BY_SHORT.get(code)
    if found is None:
        near = get_close_matches(code.upper(), (*_BY_SHORT, *ITEMS), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"classes are {', '.join(i.code for i in children(None))}"
        raise UnknownName(f"item {code!r} is not known; {hint}")
    return found


def children(code: str | None) -> tuple[Item, ...]:
    """What stands directly below an item, in the order of the table; the classes, below None."""
    parent = None if code is None else item(code).code
    return tuple(i for i in _ALL if i.parent == parent)
