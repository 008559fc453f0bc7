"""Payloads of Sparkplug B, byte by byte."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.sparkplug_payload import (
    Metric,
    NotSparkplug,
    SparkplugPayload,
    decode_sparkplug,
    encode_sparkplug,
    typed,
)


def metric(**given: Any) -> Metric:
    usual: dict[str, Any] = {
        "name": "P",
        "alias": None,
        "t_ms": None,
        "datatype": 10,
        "historical": False,
        "null": False,
        "kind": None,
        "value": None,
        "quality": None,
    }
    return Metric(**{**usual, **given})


def test_the_fields_have_the_numbers_that_the_specification_publishes() -> None:
    # timestamp = 1, metrics = 2 { name = 1, alias = 2, timestamp = 3, datatype = 4, is_historical = 5, is_null = 7,
    # properties = 9 { keys = 1, values = 2 { type = 1, int_value = 3 } }, int_value = 10 }, seq = 3
    quality = b"\x0a\x07Quality\x12\x05\x08\x03\x18\xc0\x01"
    inner = b"\x0a\x01P\x10\x07\x18\x64\x20\x03\x28\x01\x38\x00\x4a" + bytes([len(quality)]) + quality + b"\x50\x2a"
    payload = b"\x08\xe8\x07\x12" + bytes([len(inner)]) + inner + b"\x18\xff\x01"

    wanted = metric(alias=7, t_ms=100, datatype=3, historical=True, kind="int_value", value=42, quality=192)
    assert decode_sparkplug(payload) == SparkplugPayload(1000, 255, [wanted])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("long_value", 2**64 - 1),
        ("float_value", 0.5),
        ("double_value", 557511.24),
        ("boolean_value", True),
        ("string_value", "一"),
    ],
)
def test_what_is_written_is_read(kind: str, value: Any) -> None:
    payload = SparkplugPayload(1, 0, [metric(kind=kind, value=value, quality=500), metric(null=True)])

    assert decode_sparkplug(encode_sparkplug(payload)) == payload


@pytest.mark.parametrize("payload", [b"\xff", b"\x12\x05\x0a\x01P", b"\x12\x04\x0a\x02\xff\xfe", b"{}" * 9])
def test_what_is_no_payload_is_told(payload: bytes) -> None:
    with pytest.raises(NotSparkplug):
        decode_sparkplug(payload)


@pytest.mark.parametrize(
    ("datatype", "kind", "travels", "is_"),
    [
        (1, "int_value", 0xFE, -2),
        (1, "int_value", 0xFFFFFFFE, -2),
        (2, "int_value", 0x8000, -32768),
        (3, "int_value", 0xFFFFFFFF, -1),
        (4, "long_value", 2**64 - 1, -1),
        (5, "int_value", 255, 255),
        (7, "long_value", 2**32 - 1, 2**32 - 1),
        (8, "long_value", 2**64 - 1, 2**64 - 1),
        (9, "float_value", 0.5, 0.5),
        (11, "boolean_value", True, None),
        (12, "string_value", "7", None),
    ],
)
def test_a_number_is_what_its_datatype_says(datatype: int, kind: str, travels: Any, is_: Any) -> None:
    assert typed(metric(kind=kind, value=travels), datatype) == is_


@pytest.mark.parametrize(
    ("datatype", "kind", "travels"),
    [
        (1, "int_value", 300),
        (5, "int_value", 256),
        (2, "long_value", 70_000),
        (4, "int_value", 2**32 - 1),
        (3, "float_value", 1.0),
        (10, "int_value", 1),
        (99, "int_value", 1),
        (0, "int_value", 1),
    ],
)
def test_a_number_that_does_not_fit_its_datatype_is_not_guessed_at(datatype: int, kind: str, travels: Any) -> None:
    with pytest.raises(ValueError, match="datatype"):
        typed(metric(kind=kind, value=travels), datatype)
