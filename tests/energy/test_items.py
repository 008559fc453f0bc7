"""The tree of items is that of the guides, and says where it is uncertain."""

from __future__ import annotations

import re

import pytest

from energy.confidence import Confidence
from energy.errors import UnknownName
from energy.items import ITEMS, children, item


def test_electricity_has_four_groups_and_fourteen_items() -> None:
    groups = children("01")

    assert [g.short for g in groups] == ["A", "B", "C", "D"]
    assert [[i.short for i in children(g.code)] for g in groups] == [
        ["A1", "A2", "A3"],
        ["B1", "B2"],
        ["C1", "C2", "C3"],
        ["D1", "D2", "D3", "D4", "D5", "D6"],
    ]


def test_there_are_thirteen_classes_and_only_electricity_is_divided() -> None:
    classes = children(None)

    assert [c.short for c in classes] == [f"{n:02}" for n in range(1, 14)]
    assert [c.short for c in classes if children(c.code)] == ["01"]


def test_a_code_says_where_an_item_stands() -> None:
    assert item("B1").code == "01B10"
    assert item("01B10").parent == "01B00"
    assert item("01B00").parent == "01000"
    assert item("01000").parent is None
    assert all(re.fullmatch(r"\d\d([A-D]|0)\d0", code) for code in ITEMS)
    assert all(i.parent is None or i.parent in ITEMS for i in ITEMS.values())


def test_what_is_uncertain_says_so() -> None:
    assert [i.short for i in ITEMS.values() if i.uncertain] == ["D2", "D3"]
    assert all(i.source and i.confidence is not Confidence.VERIFIED for i in ITEMS.values())
    assert item("D2").confidence is Confidence.RECALLED
    assert item("A1").confidence is Confidence.SINGLE_SOURCE


@pytest.mark.parametrize(
    ("code", "hint"), [("01a10", "did you mean '01A10'"), ("a1", "did you mean 'A1'"), ("?", "01000, 02000")]
)
def test_an_unknown_item_is_refused_with_the_nearest(code: str, hint: str) -> None:
    with pytest.raises(UnknownName, match=re.escape(hint)):
        item(code)


def test_an_item_without_children_has_none() -> None:
    assert children("A1") == ()
