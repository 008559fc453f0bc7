"""Secrets never appear, and phone numbers only masked, wherever they stand."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.chain import Action, Deed, row_of
from gateway.audit.redaction import clear_text, cleared

# No digits and no letters beside the number: those would make it another number or a word.
BESIDE = st.text(st.characters(exclude_categories=["Nd", "Nl", "No", "Cs", "L"], exclude_characters="-+"), max_size=5)
PHONE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


def stored(detail: dict[str, Any], **given: str) -> str:
    said = {"account": "li", "subject": "meter/a", **given}
    return json.dumps(row_of(Deed(0, Action.CHANGE, said["subject"], said["account"], "", detail=detail), 1, ""))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13812345678", "138****5678"),
        ("李华，手机13812345678。", "李华，手机138****5678。"),
        ("+86 138-1234-5678", "+86 138****5678"),
        ("8613812345678", "86138****5678"),
        ("0571-88123456", "0571-****3456"),
        ("１３８１２３４５６７８", "１３８****５６７８"),
        # The address of a DL/T 645 meter, a time, an amount are no phone numbers.
        ("001381234567", "001381234567"),
        ("1795235084084", "1795235084084"),
        ("138123456789", "138123456789"),
        ("mqtt://jieneng:hunter2@broker:1883", "mqtt://jieneng:***@broker:1883"),
        ("Authorization: Bearer abcdef123456", "Authorization: *** ***"),
        ("password=hunter2, place east", "password=***, place east"),
        ("密码：hunter2", "密码：***"),
        ("the carbon footprint: 12", "the carbon footprint: 12"),
    ],
)
def test_a_text_is_cleared(text: str, shown: str) -> None:
    assert clear_text(text) == shown


@given(
    phone=PHONE, before=BESIDE, after=BESIDE, at=st.sampled_from(["value", "key", "list", "deep", "account", "subject"])
)
def test_a_phone_number_is_never_kept_wherever_it_stands(phone: str, before: str, after: str, at: str) -> None:
    text = f"{before}{phone}{after}"
    places: dict[str, dict[str, Any]] = {
        "value": {"note": text},
        "key": {text: 1},
        "list": {"notes": ["x", text]},
        "deep": {"before": {"contact": {"note": [text]}}},
    }
    detail = places.get(at, {})
    row = stored(detail, **({at: text} if at in ("account", "subject") else {}))

    assert phone not in row
    assert f"{phone[:3]}****{phone[-4:]}" in row


@given(
    name=st.sampled_from(
        ["password", "new_password", "apiToken", "client_secret", "totp", "Cookie", "credentials", "api_key"]
    ),
    secret=st.text(min_size=12, alphabet="abcdefghijkXYZ0123456789"),
)
def test_a_secret_is_never_kept(name: str, secret: str) -> None:
    assert secret not in stored({"after": {name: secret, "more": [{name: {"it": secret}}]}})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_whatever_is_told_can_be_kept(value: Any) -> None:
    assert re.fullmatch("[0-9a-f]{64}", row_of(Deed(0, Action.CHANGE, "x", detail={"v": value}), 1, "")["hash"])


def test_a_phone_number_that_is_no_text_is_masked_by_its_name() -> None:
    assert cleared({"phone": 13812345678, "amount_micro": 13812345678}) == {
        "phone": "138****5678",
        "amount_micro": 13812345678,
    }
