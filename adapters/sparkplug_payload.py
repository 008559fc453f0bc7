"""Payloads of Sparkplug B: Protocol Buffers, by the field numbers that the specification 3.0 publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

REBIRTH = "Node Control/Rebirth"

_INTEGERS = {1: (8, True), 2: (16, True), 3: (32, True), 4: (64, True), 5: (8, False), 6: (16, False)}
_INTEGERS |= {7: (32, False), 8: (64, False), 13: (64, False)}
_FLOATING = (9, 10)
_BOOLEAN = 11


class Metric(msgspec.Struct, frozen=True):
    """A metric as it travels: `value` is a number, a truth, a text, or None where it has none of these.

    quality : the integer of its property `Quality`; None where it has none.
    """

    name: str | None
    alias: int | None
    t_ms: int | None
    datatype: int | None
    historical: bool
    null: bool
    kind: str | None
    value: int | float | bool | str | None
    quality: int | None


@dataclass(frozen=True, slots=True)
class SparkplugPayload:
    """A payload: its instant [ms], its number in the sequence of its node, its metrics."""

    t_ms: int | None
    seq: int | None
    metrics: list[Metric]


class NotSparkplug(ValueError):
    """The bytes are no payload of Sparkplug B."""


def decode_sparkplug(payload: bytes) -> SparkplugPayload:
    """Read a payload; NotSparkplug says why it is none."""
    try:
        made: Any = _PAYLOAD.FromString(payload)
        metrics = [_metric(metric) for metric in made.metrics]
        return SparkplugPayload(_given(made, "timestamp"), _given(made, "seq"), metrics)
    except (message.DecodeError, UnicodeDecodeError) as error:
        raise NotSparkplug(str(error) or "is not a message of Protocol Buffers") from error


def encode_sparkplug(payload: SparkplugPayload) -> bytes:
    """Write a payload."""
    made: Any = _PAYLOAD()
    for name, value in (("timestamp", payload.t_ms), ("seq", payload.seq)):
        if value is not None:
            setattr(made, name, value)
    for metric in payload.metrics:
        _write(made.metrics.add(), metric)
    return bytes(made.SerializeToString())


def typed(metric: Metric, datatype: int | None) -> int | float | None:
    """The number of a metric under its datatype; None where it is none, ValueError where the two do not fit.

    Signed integers travel in unsigned fields, as two's complement of their own width or of the field's.
    """
    value = metric.value
    if value is None or isinstance(value, str) or datatype == _BOOLEAN:
        return None
    if datatype in _FLOATING:
        if metric.kind not in ("float_value", "double_value"):
            raise ValueError(f"datatype {datatype} in {metric.kind}")
        return float(value)
    if datatype not in _INTEGERS or not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"datatype {datatype} in {metric.kind}")
    bits, signed = _INTEGERS[datatype]
    field_bits = 32 if metric.kind == "int_value" else 64
    if bits > field_bits:
        raise ValueError(f"datatype {datatype} in {metric.kind}")
    if signed and value >= 1 << field_bits - 1:
        value -= 1 << field_bits
    elif signed and bits < field_bits and 1 << bits - 1 <= value < 1 << bits:
        value -= 1 << bits
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not least <= value <= most:
        raise ValueError(f"{metric.value} does not fit into datatype {datatype}")
    return value


def _metric(made: Any) -> Metric:
    has = made.HasField
    kind = made.WhichOneof("value")
    value = getattr(made, kind) if kind in _PLAIN else None
    name = made.name if has("name") else None
    # What is no UTF-8 comes as bytes.
    if type(name) is bytes or type(value) is bytes:
        raise NotSparkplug("a text is not UTF-8")
    return Metric(
        name,
        made.alias if has("alias") else None,
        made.timestamp if has("timestamp") else None,
        made.datatype if has("datatype") else None,
        made.is_historical,
        made.is_null,
        kind,
        value,
        _quality(made.properties) if has("properties") else None,
    )


def _quality(properties: Any) -> int | None:
    for key, value in zip(properties.keys, properties.values, strict=False):
        if isinstance(key, str) and key.lower() == "quality":
            kind = value.WhichOneof("value")
            # What is no code is one that nobody knows.
            return int(getattr(value, kind)) if kind in ("int_value", "long_value") else -1
    return None


def _given(made: Any, name: str) -> Any:
    return getattr(made, name) if made.HasField(name) else None


def _write(made: Any, metric: Metric) -> None:
    for name, value in (
        ("name", metric.name),
        ("alias", metric.alias),
        ("timestamp", metric.t_ms),
        ("datatype", metric.datatype),
        ("is_historical", metric.historical or None),
        ("is_null", metric.null or None),
    ):
        if value is not None:
            setattr(made, name, value)
    if metric.kind is not None:
        setattr(made, metric.kind, metric.value)
    if metric.quality is not None:
        made.properties.keys.append("Quality")
        made.properties.values.add(type=3, int_value=metric.quality)


_Field = descriptor_pb2.FieldDescriptorProto
_U32, _U64, _BOOL, _TEXT = _Field.TYPE_UINT32, _Field.TYPE_UINT64, _Field.TYPE_BOOL, _Field.TYPE_STRING
_FLOAT, _DOUBLE, _BYTES = _Field.TYPE_FLOAT, _Field.TYPE_DOUBLE, _Field.TYPE_BYTES
_PLAIN = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value")


def _scalars(made: Any, fields: dict[str, tuple[int, int]], oneof: str | None = None, repeated: bool = False) -> None:
    for name, (number, of_type) in fields.items():
        label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
        field = made.field.add(name=name, number=number, type=of_type, label=label)
        if oneof is not None:
            field.oneof_index = 0


def _inner(made: Any, name: str, number: int, of: str, repeated: bool = False) -> None:
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    made.field.add(name=name, number=number, type=_Field.TYPE_MESSAGE, type_name=f".jieneng.{of}", label=label)


def _values(made: Any, first: int) -> None:
    made.oneof_decl.add(name="value")
    types = dict(zip(_PLAIN, (_U32, _U64, _FLOAT, _DOUBLE, _BOOL, _TEXT), strict=True))
    _scalars(made, {name: (first + i, of_type) for i, (name, of_type) in enumerate(types.items())}, oneof="value")


def _described() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="jieneng_sparkplug.proto", package="jieneng", syntax="proto2")
    property_value = file.message_type.add(name="PropertyValue")
    _values(property_value, 3)
    _scalars(property_value, {"type": (1, _U32), "is_null": (2, _BOOL)})
    properties = file.message_type.add(name="PropertySet")
    _scalars(properties, {"keys": (1, _TEXT)}, repeated=True)
    _inner(properties, "values", 2, "PropertyValue", repeated=True)
    metric = file.message_type.add(name="Metric")
    _values(metric, 10)
    # Data sets, templates and extensions are known as such and not looked into.
    others = {"bytes_value": (16, _BYTES), "dataset": (17, _BYTES), "template": (18, _BYTES), "extension": (19, _BYTES)}
    _scalars(metric, others, oneof="value")
    _scalars(metric, {"name": (1, _TEXT), "alias": (2, _U64), "timestamp": (3, _U64), "datatype": (4, _U32)})
    _scalars(metric, {"is_historical": (5, _BOOL), "is_transient": (6, _BOOL), "is_null": (7, _BOOL)})
    _inner(metric, "properties", 9, "PropertySet")
    payload = file.message_type.add(name="Payload")
    _scalars(payload, {"timestamp": (1, _U64), "seq": (3, _U64)})
    _inner(payload, "metrics", 2, "Metric", repeated=True)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("jieneng.Payload"))


_PAYLOAD: Any = _described()
