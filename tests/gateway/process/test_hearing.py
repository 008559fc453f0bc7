"""What other processes tell goes where our own ingest would tell it; all else is left to the roles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import msgspec

from adapters.clocks import SteppedClock
from adapters.wire import STATE, STORED, EdgeState, between, encode, topic
from adapters.wire_between import encode_columns
from energy.ports import Message
from energy.readings import Point, ReadingColumns
from gateway.edges.service import Edges
from gateway.process.arrivals import Arrivals
from gateway.process.hearing import HeardBus, take_states
from gateway.process.others import Processes
from gateway.process.parts import Parts
from tests.gateway.process.test_others import NOW, state

POINT = Point("main", "active_power")


def columns(*values: float) -> ReadingColumns:
    return ReadingColumns.of([POINT], [0] * len(values), range(len(values)), values)


@dataclass
class Told:
    """A bus that says what it was given, once."""

    given: Sequence[Message]
    acknowledged: list[Message] = field(default_factory=list)
    connected = True

    async def messages(self) -> AsyncIterator[list[Message]]:
        yield list(self.given)

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        self.acknowledged += messages

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None: ...


class Listening:
    """The parts that hear: what came to the store, to listeners of lanes and of all."""

    def __init__(self) -> None:
        self.store: list[float] = []
        self.lanes: list[tuple[list[float], list[float]]] = []
        self.all: list[float] = []
        arrivals = Arrivals()
        arrivals.by_lane(lambda live, waited: self.lanes.append((live.value.tolist(), waited.value.tolist())))
        arrivals.all(lambda found: self.all.extend(found.value.tolist()))
        self.edges = Edges(SteppedClock(NOW))
        self.processes = Processes(SteppedClock(NOW), "api-1", alone=False)
        self.parts = cast(
            Parts,
            SimpleNamespace(
                store=SimpleNamespace(heard=lambda found: self.store.extend(found.value.tolist())),
                arrivals=arrivals,
                processes=self.processes,
                edges=self.edges,
                hub=SimpleNamespace(changed=lambda: None),
                settings=SimpleNamespace(name="api-1"),
            ),
        )


def stored(process: str, live: ReadingColumns, waited: ReadingColumns) -> list[Message]:
    return [Message(between(process, STORED), payload) for payload in encode_columns(live, waited)]


async def left(bus: Told, there: Listening) -> list[str]:
    """The topics that are left to the roles."""
    return [m.topic async for messages in HeardBus(bus, there.parts).messages() for m in messages]


async def test_what_another_process_stored_is_in_the_store_and_with_who_listens() -> None:
    there, bus = Listening(), Told(stored("ingest-1", columns(1.0, 2.0), columns(3.0)))

    assert await left(bus, there) == []
    assert there.store == [1.0, 2.0, 3.0]
    assert there.lanes == [([1.0, 2.0], [3.0])]
    assert there.all == [1.0, 2.0, 3.0]
    assert bus.acknowledged == bus.given


async def test_what_we_stored_ourselves_is_not_heard_again() -> None:
    there = Listening()
    await left(Told(stored("api-1", columns(1.0), columns())), there)

    assert there.lanes == []


async def test_what_cannot_be_read_is_let_go_of() -> None:
    there, bus = Listening(), Told([Message(between("ingest-1", STORED), b"\x93nonsense")])

    assert await left(bus, there) == []
    assert bus.acknowledged == bus.given


async def test_a_state_of_a_process_is_heard_and_other_messages_are_left_to_the_roles() -> None:
    said = msgspec.json.encode(state("ingest"))
    bus = Told([Message(between("ingest-1", STATE), said), Message(topic("e", "readings"), b""), Message(_HANDED, b"")])
    there = Listening()

    assert await left(bus, there) == [topic("e", "readings"), _HANDED]
    assert [p.process for p in there.processes.all()] == ["ingest-1"]
    # What is left is acknowledged by who takes it.
    assert [m.topic for m in bus.acknowledged] == [between("ingest-1", STATE)]


_HANDED = between("api-1", "readings")


async def test_a_process_that_takes_no_readings_still_knows_the_edges() -> None:
    there = Listening()
    bus = Told([Message(topic("north", STATE), encode(EdgeState("online", meters={}, since=1)))])
    await take_states(bus, there.parts)

    assert [e.edge for e in there.edges.fleet()] == ["north"]
    assert bus.acknowledged == bus.given
