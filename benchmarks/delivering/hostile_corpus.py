"""Messages as strangers might send them: good ones of every form, and what can be done to them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from adapters.sparkplug_payload import Metric, SparkplugPayload, encode_sparkplug

T_MS = 1_795_140_000_000
EDGE_TOPIC = "jieneng/v1/stranger/readings"
STATE_TOPIC = "jieneng/v1/stranger/state"


class Sent(NamedTuple):
    """A message; `good` says that it is as its sender meant it."""

    topic: str
    payload: bytes
    good: bool


class Seeds:
    """Good messages, each of an instant of its own."""

    def __init__(self) -> None:
        self._n = 0
        self._seq = 0

    def some(self, chance: random.Random) -> Sent:
        """One of any form."""
        self._n += 1
        t_ms, value = T_MS + self._n * 1000, round(self._n * 0.37 % 900, 3)
        make = chance.choice((self._own, self._state, self._neuron, self._telegraf, self._others, self._sparkplug))
        return make(t_ms, value, chance)

    def births(self) -> Iterator[Sent]:
        """What nodes of Sparkplug say first."""
        self._seq = 1
        yield _sparkplug("NBIRTH", 0, [_metric("bdSeq", 8, "long_value", 1)], "")
        names = [
            _metric("Power/Active", 10, "double_value", 1.0, alias=1),
            _metric("Energy/Import", 4, "long_value", 1, alias=2),
        ]
        yield _sparkplug("DBIRTH", 1, names, "canteen-main")

    def _own(self, t_ms: int, value: float, chance: random.Random) -> Sent:
        reading = {"meter": "canteen-main", "taken_at": t_ms, "values": {"active_power": value, "voltage_l1": 230.5}}
        if chance.random() < 0.3:
            reading["flags"] = {"active_power": {"quality": chance.choice(("bad", "uncertain")), "reason": "sentinel"}}
        other = {
            "meter": "canteen-water",
            "taken_at": f"2026-11-20T10:00:00.{t_ms // 1000 % 1000:03d}+08:00",
            "values": {"volume": value},
        }
        batch: dict[str, Any] = {"boot": "b", "sequence": self._n, "readings": [reading, other]}
        if chance.random() < 0.5:
            lost = {"first": self._n, "last": self._n + 2, "cause": "old", "readings": 3, "from": t_ms, "to": t_ms}
            batch |= {"outbox": "o1", "held_from": self._n, "history": chance.random() < 0.5, "lost": [lost]}
        return _json(EDGE_TOPIC, batch)

    def _state(self, t_ms: int, value: float, chance: random.Random) -> Sent:
        meters = {"canteen-main": {"state": "reporting", "since": t_ms}}
        state = {"state": "online", "since": t_ms, "boot": "b", "outbox_batches": int(value), "meters": meters}
        return _json(STATE_TOPIC, state)

    def _neuron(self, t_ms: int, value: float, chance: random.Random) -> Sent:
        group = {
            "timestamp": t_ms,
            "node": "canteen-main",
            "group": "g",
            "values": {"P": value, "Ua": 2301},
            "errors": {"EP": 2014},
        }
        return _json("/neuron/app/canteen-main/g", group)

    def _telegraf(self, t_ms: int, value: float, chance: random.Random) -> Sent:
        def metric(slave: str, fields: dict[str, Any]) -> dict[str, Any]:
            return {"fields": fields, "name": "modbus", "tags": {"name": "plant", "slave_id": slave}, "timestamp": t_ms}

        one, other = metric("1", {"power": value, "energy": int(value * 1000)}), metric("2", {"volume": value})
        return _json("telegraf/pi/modbus", {"metrics": [one, other]} if chance.random() < 0.5 else one)

    def _others(self, t_ms: int, value: float, chance: random.Random) -> Sent:
        match chance.randrange(3):
            case 0:
                return _json(
                    "v1/gateway/telemetry", {"canteen-main": [{"ts": t_ms, "values": {"power": value, "energy": 7}}]}
                )
            case 1:
                properties = [
                    {"key": "Pt", "value": str(value), "time": t_ms},
                    {"key": "Ua", "value": 230, "time": t_ms},
                ]
                return _json("properties/g", [{"deviceId": "202311060017", "properties": properties}])
            case _:
                return Sent(f"meters/canteen-main/{chance.choice(('power', 'total'))}", str(value).encode(), True)

    def _sparkplug(self, t_ms: int, value: float, chance: random.Random) -> Sent:
        self._seq = (self._seq + 1) % 256
        metrics = [
            _metric(None, None, "double_value", value, alias=1, t_ms=t_ms),
            _metric("Energy/Import", 4, "long_value", int(value), t_ms=t_ms, quality=chance.choice((None, 192, 500))),
        ]
        return _sparkplug("DDATA", self._seq, metrics, "canteen-main")


def _json(topic: str, data: Any) -> Sent:
    return Sent(topic, json.dumps(data, ensure_ascii=False).encode(), True)


def _metric(
    name: str | None,
    datatype: int | None,
    kind: str | None,
    value: Any,
    *,
    alias: int | None = None,
    t_ms: int | None = None,
    quality: int | None = None,
    null: bool = False,
) -> Metric:
    return Metric(name, alias, t_ms, datatype, False, null, kind, value, quality)


def _sparkplug(kind: str, seq: int | None, metrics: list[Metric], device: str) -> Sent:
    topic = f"spBv1.0/plant/{kind}/n1" + (f"/{device}" if kind.startswith("D") else "")
    return Sent(topic, encode_sparkplug(SparkplugPayload(T_MS, seq, metrics)), True)


# -- what is done to them ------------------------------------------------------------------------------------------

_NUMBERS = (
    "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "nan", "0x10", "1_000", "01", "+1", "1.", ".5", "-0",
    "1e-400", "9007199254740993", "9223372036854775808", "18446744073709551616", "-9223372036854775809", "9" * 400,
    "0." + "3" * 400, "1e308", "null", "true", '"12"', '""', "[]", "{}", "1e5", "2.0", "-1", "0", "1795140000",
    "253402300800000", "9999999999999", "1e18", "4e-324",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, "", "12", "NaN", "\x00", "a\nb", "\u202e", "💡" * 20, "\ud800", "x" * 5000, [], {}, [[]],
    {"": None}, 0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 1e300, -1e-300, 1.5, "canteen-main",
    "canteen-water", "active_power", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00", "2026-11-20T10:00:00", "2026-11-20T10:00:00+08:00", "2026-13-45T99:99:99Z",
    "20261120T100000+0800", "2026-11-20T10:00:00+25:00", 1_795_140_000, 1_795_140_000_000, 1_795_140_000_000_000,
    253_402_300_800_000, "bad", "good", "uncertain", "online",
)  # fmt: skip
_TOPICS = (
    "jieneng/v1//readings", "jieneng/v1/a/b/readings", "jieneng/v1/" + "e" * 300 + "/readings",
    "jieneng/v1/a b/readings", "jieneng/v1/\u202e/readings", "jieneng/v2/stranger/readings",
    "jieneng/v1/stranger/stored", "jieneng/v1/stranger", "jieneng/v1/stranger/READINGS", "readings", "", "/",
    "stranger/state", "x/v1/stranger/readings", "telegraf/pi", "telegraf//modbus", "telegraf/pi/modbus/x",
    "meters/canteen-main/\x01", "meters//power", "meters/" + "m" * 5000 + "/power", "spBv1.0/plant/DDATA/n1",
    "spBv1.0/plant/NDATA/n1/canteen-main", "spBv1.0/plant/XBIRTH/n1", "spBv1.0/other/NBIRTH/n1",
    "spBv1.0/plant/NCMD/n1", "spBv1.0/STATE/x", "spBv1.0/plant/DDATA/n2/canteen-main",
    "spBv1.0/plant/NBIRTH/" + "n" * 2000, "v1/gateway/telemetry", "/neuron/app/canteen-main/g", "properties/g",
    "jieneng/v1/other/readings", "jieneng/v1/.x/readings", "jieneng/v1/-/state",
)  # fmt: skip


def hostile(seeds: Seeds, chance: random.Random) -> Sent:
    """A message with something done to it, once or several times."""
    sent = seeds.some(chance)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        change = chance.choices(_CHANGES, _WEIGHTS)[0]
        sent = change(sent, chance)
    return sent._replace(good=False)


def _flipped(sent: Sent, chance: random.Random) -> Sent:
    data = bytearray(sent.payload)
    for _ in range(chance.choice((1, 1, 2, 8))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return sent._replace(payload=bytes(data))


def _cut(sent: Sent, chance: random.Random) -> Sent:
    return sent._replace(payload=sent.payload[: chance.randrange(len(sent.payload) + 1)])


def _spliced(sent: Sent, chance: random.Random) -> Sent:
    data = sent.payload
    a, b, c = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    made = chance.choice(
        (data[:a] + data[b:], data[:b] + data[a:b] + data[b:], data[:a] + data[b:c] + data[a:b] + data[c:])
    )
    return sent._replace(payload=made)


def _inserted(sent: Sent, chance: random.Random) -> Sent:
    at = chance.randrange(len(sent.payload) + 1)
    junk = chance.choice(
        (
            b"\x00",
            b"\xff",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xef\xbb\xbf",
            b"\xf4\x90\x80\x80",
            b"\n",
            b"//x\n",
            b",",
            b"}",
            b"[",
            chance.randbytes(9),
        )
    )
    return sent._replace(payload=sent.payload[:at] + junk + sent.payload[at:])


def _numbered(sent: Sent, chance: random.Random) -> Sent:
    """A number of the text becomes one that is none, or an awkward one."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", sent.payload))
    if not found:
        return _flipped(sent, chance)
    one = chance.choice(found)
    return sent._replace(
        payload=sent.payload[: one.start()] + chance.choice(_NUMBERS).encode() + sent.payload[one.end() :]
    )


def _doubled(sent: Sent, chance: random.Random) -> Sent:
    """A key is given twice."""
    found = list(re.finditer(rb'("[a-zA-Z_0-9]+"): ("[^"]*"|-?[\d.]+)', sent.payload))
    if not found:
        return _spliced(sent, chance)
    one = chance.choice(found)
    other = one[1] + b": " + chance.choice((b"1", b'"x"', b"null", b"2.5", b"{}")) + b", "
    return sent._replace(payload=sent.payload[: one.start()] + other + sent.payload[one.start() :])


def _replaced(sent: Sent, chance: random.Random) -> Sent:
    """A part of the tree becomes something else, goes, or gets another name."""
    try:
        tree = json.loads(sent.payload)
        holders = list(_holders(tree))
        json.dumps(tree)
    except (ValueError, RecursionError):
        return _inserted(sent, chance)
    if not holders:
        return sent._replace(payload=json.dumps(chance.choice(_VALUES)).encode())
    holder, key = chance.choice(holders)
    what = chance.random()
    if what < 0.65:
        holder[key] = chance.choice(_VALUES)
    elif what < 0.8:
        del holder[key]
    elif what < 0.9:
        other, other_key = chance.choice(holders)
        holder[key] = json.loads(json.dumps(other[other_key]))
    elif isinstance(holder, dict):
        holder[chance.choice(("", "meter", "values", "active_power", "x" * 300, "\u0000", "P", "power"))] = holder.pop(
            key
        )
    return sent._replace(payload=json.dumps(tree).encode())


def _holders(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        for key, inner in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
            yield tree, key
            yield from _holders(inner)


def _nested(sent: Sent, chance: random.Random) -> Sent:
    depth = chance.choice((100, 1_000, 20_000))
    bomb = chance.choice((b"[" * depth, b'{"a":' * depth, b"[" * depth + b"]" * depth, b'{"readings":' * depth))
    return sent._replace(payload=chance.choice((bomb, sent.payload[:-1] + b', "x": ' + bomb + b"}")))


def _large(sent: Sent, chance: random.Random) -> Sent:
    size = chance.choice((1_048_000, 1_048_576, 1_048_577, 1_200_000)) if chance.random() < 0.95 else 10_000_000
    filler = chance.choice((b" ", b"\x00", b"9", b"x"))
    return sent._replace(payload=sent.payload + filler * max(0, size - len(sent.payload)))


def _random(sent: Sent, chance: random.Random) -> Sent:
    return sent._replace(payload=chance.randbytes(chance.randrange(200)))


def _encoded(sent: Sent, chance: random.Random) -> Sent:
    text = sent.payload.decode("utf-8", "replace")
    return sent._replace(
        payload=text.encode(chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "utf-8-sig")), "replace")
    )


def _elsewhere(sent: Sent, chance: random.Random) -> Sent:
    return sent._replace(topic=chance.choice(_TOPICS))


def _of_sparkplug(sent: Sent, chance: random.Random) -> Sent:
    """A payload of Sparkplug whose parts do not fit."""
    kinds: dict[str | None, tuple[Any, ...]] = {
        None: (None,),
        "int_value": (2**32 - 1, 1, 300),
        "long_value": (2**64 - 1, 1, 2**32 - 1),
        "float_value": (float("nan"), float("-inf"), 1.0),
        "double_value": (1e308, -0.0, 1.0),
        "boolean_value": (True, False),
        "string_value": ("12", ""),
    }
    metrics = []
    for _ in range(chance.randrange(1, 5)):
        kind = chance.choice(list(kinds))
        metrics.append(
            _metric(
                chance.choice(
                    (None, "Power/Active", "Energy/Import", "", "\u0000", "bdSeq", "Node Control/Rebirth", "x" * 2000)
                ),
                chance.choice((None, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 19, 99, 2**32 - 1)),
                kind,
                chance.choice(kinds[kind]),
                alias=chance.choice((None, 1, 2, 3, 2**64 - 1)),
                t_ms=chance.choice((None, 0, T_MS + chance.randrange(10**9), 2**63, 2**64 - 1)),
                quality=chance.choice((None, 0, 192, 500, 7)),
                null=chance.random() < 0.1,
            )
        )
    of = chance.choice(("NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDATA", "DDATA", "NDEATH", "DDEATH"))
    seq = chance.choice((None, 0, 1, 255, 256, 2**64 - 1, chance.randrange(256)))
    return _sparkplug(of, seq, metrics, chance.choice(("canteen-main", "canteen-water", "x", "")))


_CHANGES: tuple[Callable[[Sent, random.Random], Sent], ...] = (
    _flipped, _cut, _spliced, _inserted, _numbered, _doubled, _replaced, _nested, _large, _random, _encoded, _elsewhere,
    _of_sparkplug,
)  # fmt: skip
_WEIGHTS = (20, 8, 10, 8, 20, 8, 40, 0.4, 0.08, 3, 3, 8, 14)
