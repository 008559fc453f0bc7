"""Sparkplug B as readings: births tell what aliases mean, deaths end that, and a gap asks for a birth again.

What a node says is taken only if it is understood for sure: by its own name and datatype, or by the birth in force.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from adapters.mapping_files import NAMESPACE, SparkplugWords
from adapters.payload_paths import Row
from adapters.sparkplug_payload import (
    REBIRTH,
    Metric,
    NotSparkplug,
    SparkplugPayload,
    decode_sparkplug,
    encode_sparkplug,
    typed,
)
from adapters.wire import Flag
from energy.ports import Message
from gateway.foreign.instants import within
from gateway.foreign.json_rows import MeterNames
from gateway.foreign.nodes import LONGEST_ID, MOST_METRICS, MOST_NODES, Node
from gateway.foreign.taken import Gathering, Taken
from gateway.foreign.values import NO_NUMBER, RECEIVED, Codes, Entry, Mistyped, worse
from gateway.ingest.reasons import (
    BROKEN_PAYLOAD,
    BROKEN_TIME,
    MISTYPED,
    NOT_BORN,
    UNKNOWN_METER,
    UNKNOWN_QUANTITY,
    shown,
)

ASK_EVERY_MS = 30_000
_BOOLEAN, _BD_SEQ = 11, "bdSeq"
_CONTROL = ("Node Control/", "Device Control/")


class Sparkplug:
    """Takes the messages of a mapping, and remembers its nodes."""

    def __init__(self, words: SparkplugWords) -> None:
        self._id = words.mapping
        self._names = MeterNames(words.meter) if words.meter is not None else None
        self._entries = {name: Entry(one) for name, one in words.quantities.items()}
        self._ignores, self._asks = words.others == "ignore", words.rebirth
        self._codes = Codes(words.quality)
        self._nodes: dict[tuple[str, str], Node] = {}
        self._remembered = 0

    def take(self, message: Message, _names: Mapping[str, str], now_ms: int) -> Taken:
        """What the message brings."""
        _, group, kind, node_id, *rest = message.topic.split("/")
        device = rest[0] if rest else ""
        gathering = Gathering(f"mapping/{self._id}/{shown(group)}/{shown(node_id)}", now_ms)
        try:
            _must_be_ids(group, node_id, device)
            payload = decode_sparkplug(message.payload)
            node = self._node(group, node_id)
            turn = _Turn(group, node_id, device, node, payload, gathering, now_ms)
            if kind == "NDEATH":
                self._node_death(turn)
            else:
                self._in_sequence(kind, turn)
        except (NotSparkplug, ValueError) as error:
            begins = message.payload[:60]
            gathering.refuse(BROKEN_PAYLOAD, f"{shown(error)}; begins {begins!r}")
        return gathering.taken

    def _node(self, group: str, node_id: str) -> Node:
        if (group, node_id) not in self._nodes:
            if len(self._nodes) >= MOST_NODES:
                raise ValueError(f"more than {MOST_NODES} nodes")
            self._nodes[group, node_id] = Node()
        return self._nodes[group, node_id]

    def _in_sequence(self, kind: str, turn: _Turn) -> None:
        payload, node = turn.payload, turn.node
        if payload.seq is None or payload.seq > 255:
            raise NotSparkplug(f"seq is {payload.seq}; 0 to 255 must be given")
        if len(payload.metrics) > MOST_METRICS:
            raise NotSparkplug(f"more than {MOST_METRICS} metrics")
        if kind == "NBIRTH":
            node.born(payload.seq, _bd_seq(payload), payload.metrics, turn.now_ms)
        elif not node.follows(payload.seq) or not node.sound:
            self._ask(turn)
        if kind == "DDEATH":
            node.device_died(turn.device, turn.now_ms)
        else:
            if kind == "DBIRTH":
                node.device_born(turn.device, payload.metrics, turn.now_ms)
            if kind.endswith("BIRTH"):
                self._must_be_bearable(turn)
            self._metrics(turn, birth=kind.endswith("BIRTH"))
        # Of a node whose birth is not known yet there is nothing to tell.
        if not kind.endswith("DATA") and node.online:
            turn.gathering.taken.states.append((turn.gathering.taken.sender, node.state(turn.now_ms)))

    def _must_be_bearable(self, turn: _Turn) -> None:
        """Forget a node whose births would fill the memory."""
        node = turn.node
        self._remembered += node.size - node.counted
        node.counted = node.size
        if self._remembered > MOST_METRICS:
            self._remembered -= node.counted
            del self._nodes[turn.group, turn.node_id]
            raise ValueError(f"more than {MOST_METRICS} metrics of all nodes together")

    def _node_death(self, turn: _Turn) -> None:
        bd_seq = _bd_seq(turn.payload)
        if bd_seq is None:
            raise NotSparkplug("a death without bdSeq: nobody can tell of which session it is")
        # The will of an earlier session may come after the birth of the next.
        if turn.node.online and turn.node.bd_seq in (bd_seq, None):
            turn.node.died()
            turn.gathering.taken.states.append((turn.gathering.taken.sender, turn.node.state(turn.now_ms)))

    def _metrics(self, turn: _Turn, *, birth: bool) -> None:
        unknown = 0
        for metric in turn.payload.metrics:
            known = turn.node.understood(turn.device, metric)
            if known is None:
                unknown += 1
            elif known[0] != _BD_SEQ and not known[0].startswith(_CONTROL):
                self._metric(turn, metric, *known, birth=birth)
        if unknown:
            why = "its birth is not known" if turn.node.sound else "no birth, or messages are missing since"
            turn.gathering.refuse(NOT_BORN, f"{unknown} metrics of {shown(turn.device or turn.node_id)}: {why}")
            self._ask(turn)

    def _metric(self, turn: _Turn, metric: Metric, name: str, datatype: int, *, birth: bool) -> None:
        gathering = turn.gathering
        entry = self._entries.get(name)
        if entry is None:
            if not self._ignores:
                gathering.refuse(UNKNOWN_QUANTITY, "is not among the quantities of the mapping", quantity=name)
            return
        given = metric.t_ms if metric.t_ms is not None else turn.payload.t_ms
        try:
            t_ms = turn.now_ms if given is None else within(given)
            meter = entry.meter or self._meter(turn)
            raw = _number(metric, datatype)
            value, why = entry.value(raw, text=False)
        except LookupError as error:
            gathering.refuse(UNKNOWN_METER, str(error), None, name)
            return
        except Mistyped as error:
            gathering.refuse(MISTYPED, str(error), entry.meter, name)
            return
        except ValueError as error:
            reason = BROKEN_TIME if given is not None and str(error).startswith("not within") else MISTYPED
            gathering.refuse(reason, str(error), entry.meter, name)
            return
        flag = worse(why if raw is not None else NO_NUMBER, self._quality(metric, timed=given is not None))
        gathering.add(meter, t_ms, entry.quantity, value, flag)
        gathering.taken.history |= metric.historical
        if birth and turn.device in turn.node.devices:
            turn.node.devices[turn.device].meters.add(meter)

    def _quality(self, metric: Metric, *, timed: bool) -> Flag | None:
        marked = self._codes.flag(metric.quality) if metric.quality is not None else None
        return marked if timed else worse(RECEIVED, marked)

    def _meter(self, turn: _Turn) -> str:
        if turn.meter is None:
            if self._names is None:
                raise LookupError("the mapping names no meter for it")
            names = {"group": turn.group, "node": turn.node_id, **({"device": turn.device} if turn.device else {})}
            turn.meter = self._names.meter(Row(None, (), names))
        return turn.meter

    def _ask(self, turn: _Turn) -> None:
        """Ask for a birth again, not more often than a node can bear."""
        asked = turn.node.asked_ms
        if not self._asks or (asked is not None and 0 <= turn.now_ms - asked < ASK_EVERY_MS):
            return
        turn.node.asked_ms = turn.now_ms
        wanted = Metric(REBIRTH, None, turn.now_ms, _BOOLEAN, False, False, "boolean_value", True, None)
        command = encode_sparkplug(SparkplugPayload(turn.now_ms, None, [wanted]))
        turn.gathering.taken.commands.append((f"{NAMESPACE}/{turn.group}/NCMD/{turn.node_id}", command))


class _Turn:
    """A message while it is taken."""

    __slots__ = ("device", "gathering", "group", "meter", "node", "node_id", "now_ms", "payload")

    def __init__(
        self,
        group: str,
        node_id: str,
        device: str,
        node: Node,
        payload: SparkplugPayload,
        gathering: Gathering,
        now_ms: int,
    ) -> None:
        self.group, self.node_id, self.device = group, node_id, device
        self.node, self.payload, self.gathering, self.now_ms = node, payload, gathering, now_ms
        self.meter: str | None = None


def _must_be_ids(*ids: str) -> None:
    if max(map(len, ids)) > LONGEST_ID:
        raise NotSparkplug(f"an id of more than {LONGEST_ID} characters")


def _number(metric: Metric, datatype: int) -> int | float | None:
    """The number of a metric; None where it says that it has none, Mistyped where it is none."""
    if metric.null:
        return None
    number = typed(metric, datatype)
    if number is None:
        raise Mistyped(f"datatype {datatype} in {metric.kind} is no number")
    return number if math.isfinite(number) else None


def _bd_seq(payload: SparkplugPayload) -> int | None:
    for metric in payload.metrics:
        if metric.name == _BD_SEQ and isinstance(metric.value, int) and not isinstance(metric.value, bool):
            return metric.value
    return None
