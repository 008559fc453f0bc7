"""Nodes of Sparkplug B as their host knows them: born or dead, which aliases hold, whether a message is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.sparkplug_payload import Metric
from adapters.wire import EdgeState, MeterState

# Beyond these it is not a plant that was ever built.
MOST_NODES, MOST_METRICS, LONGEST_ID, _LONGEST_NAME = 10_000, 1_000_000, 256, 256


@dataclass(slots=True)
class Device:
    """A device of a node, or the node's own metrics: what its birth said."""

    since_ms: int
    online: bool = True
    names: dict[int, str] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    meters: set[str] = field(default_factory=set)

    def learn(self, metrics: list[Metric]) -> None:
        """Take over aliases and datatypes of a birth."""
        for metric in metrics:
            if metric.name is None or len(metric.name) > _LONGEST_NAME:
                continue
            if metric.alias is not None:
                self.names[metric.alias] = metric.name
            if metric.datatype is not None:
                self.types[metric.name] = metric.datatype

    @property
    def size(self) -> int:
        """How much is remembered of it."""
        return 1 + len(self.names) + len(self.types) + len(self.meters)


class Node:
    """A node since its last birth; `counted` is its size as it was counted last."""

    def __init__(self) -> None:
        self.online = self.sound = False
        self.seq = self.born_ms = self.counted = 0
        self.bd_seq: int | None = None
        self.asked_ms: int | None = None
        self.devices: dict[str, Device] = {}

    def born(self, seq: int, bd_seq: int | None, metrics: list[Metric], now_ms: int) -> None:
        """The node begins anew; of its devices nothing is known until their own births."""
        self.online = self.sound = True
        self.seq, self.bd_seq, self.born_ms = seq, bd_seq, now_ms
        own = Device(now_ms)
        own.learn(metrics)
        gone = {name: Device(now_ms, online=False, meters=d.meters) for name, d in self.devices.items() if name}
        self.devices = {**gone, "": own}

    def follows(self, seq: int) -> bool:
        """Whether the message is the next one; after a gap nothing that a birth said is relied on."""
        expected, self.seq = (self.seq + 1) % 256, seq
        if seq != expected:
            self.sound = False
        return seq == expected

    def died(self) -> None:
        self.online = self.sound = False

    def device_born(self, name: str, metrics: list[Metric], now_ms: int) -> None:
        device = self.devices[name] = Device(now_ms)
        device.learn(metrics)

    @property
    def size(self) -> int:
        """How much is remembered of it."""
        return sum(device.size for device in self.devices.values())

    def device_died(self, name: str, now_ms: int) -> None:
        device = self.devices.get(name)
        if device is not None and device.online:
            # Its names hold no longer: it says them again when it is back.
            self.devices[name] = Device(now_ms, online=False, meters=device.meters)

    def understood(self, device: str, metric: Metric) -> tuple[str, int] | None:
        """Name and datatype of a metric: its own words, or what the birth in force said; None where that is unsure."""
        if metric.name and metric.datatype is not None:
            return metric.name, metric.datatype
        born = self.devices.get(device)
        if not self.sound or born is None or not born.online:
            return None
        name = metric.name or (born.names.get(metric.alias) if metric.alias is not None else None)
        datatype = metric.datatype if metric.datatype is not None else born.types.get(name or "")
        return None if name is None or datatype is None else (name, datatype)

    def state(self, now_ms: int) -> EdgeState:
        """The node as one says it of an edge."""
        if not self.online:
            return EdgeState("offline")
        meters = {
            meter: MeterState("reporting", device.since_ms)
            if device.online
            else MeterState("silent", device.since_ms, f"device {name[:64]} is offline, says its node")
            for name, device in self.devices.items()
            for meter in device.meters
        }
        return EdgeState(
            "online",
            since=self.born_ms,
            boot=None if self.bd_seq is None else str(self.bd_seq),
            told_at=now_ms,
            meters=meters,
        )
