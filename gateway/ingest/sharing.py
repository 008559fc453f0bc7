"""Which messages are this process's own, among several: one process at a time answers for a sender.

The broker gives each message to one of those who share the subscription, whoever it is. Senders are parted into shares
by their names, and each share is one process's at a time (`Claims`). A message of another one's sender is handed on to
it as it came, many in one message, and acknowledged once the broker has it. So what is known in memory of a sender
holds, and the first value of an instant stays; a broker that shares by topic would leave nothing to be handed on.

What comes is sorted at once, also while something is being stored: so a message that is handed on comes hardly later
than one that is not, and each process stores as many readings at a time as one that is alone would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import structlog

from adapters.wire import BETWEEN, HANDED, READINGS, WANTED, Wanted, between, edge_and_leaf, encode, topic
from adapters.wire_between import decode_handed, encode_handed
from energy.errors import BusError, EnergyError
from energy.ports import Bus, Claims, Message, RegisterStore
from energy.senders import SHARES, share_of
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import Judge

log = structlog.get_logger()

KIND = "ingest"
_AGAIN_S = 0.25
# What comes within so long is sorted together: who wakes for each message, and hands each on by itself, takes more of
# the processor for that than for the rest of it.
_GATHER_S = 0.05


class NotOurs(EnergyError):
    """What was to be stored is another process's by now."""


# Stores and answers messages while a condition holds; `NotOurs` where it ceases to.
Keep = Callable[[Sequence[Message], Callable[[], bool]], Awaitable[None]]


@dataclass(slots=True)
class _Delivery:
    """A message as the broker delivered it; so many of those in it are not done."""

    message: Message
    left: int
    bus: Bus


@dataclass(slots=True)
class _Item:
    """A message of a sender; `of` is what it came in."""

    message: Message
    share: int
    of: _Delivery


class Sharing:
    """Takes its share of what comes, and hands on the rest."""

    def __init__(
        self, bus: Bus, claims: Claims, store: RegisterStore, deliveries: Deliveries, judge: Judge, keep: Keep
    ) -> None:
        self._bus, self._claims, self._store = bus, claims, store
        self._deliveries, self._judge, self._keep = deliveries, judge, keep
        # To be stored here; to be handed on, by who answers for it; of which nobody knows whose it is just now.
        self._own: list[_Item] = []
        self._others: dict[str, list[_Item]] = {}
        self._waiting: list[_Item] = []
        self._own_came, self._others_came = asyncio.Event(), asyncio.Event()
        self._unhanded: set[str] = set()
        self._mine = frozenset[int]()
        self._told = judge.senders
        claims.take_part(KIND, SHARES, gained=self._gained, lost=self._lost)

    @staticmethod
    def subscriptions(process: str) -> list[str]:
        """What the broker is asked for: a part of all readings, and what is handed on to this process."""
        return [f"$share/jieneng/{topic('+', READINGS)}", between(process, HANDED)]

    def owns(self, sender: str) -> bool:
        """Whether this process answers for a sender."""
        return self._claims.held(KIND, share_of(sender))

    async def take(self, messages: Sequence[Message]) -> None:
        """See to it that what is ours is stored, and what is not handed on; each is acknowledged when that is done."""
        await self.take_beside(messages, self._bus)

    async def take_beside(self, messages: Sequence[Message], bus: Bus) -> None:
        """The same of what came over another bus."""
        self._sort(item for message in messages for item in _items(message, bus))
        await asyncio.sleep(_GATHER_S)

    async def run(self) -> None:
        """Store, hand on, and look again at what nobody answered for a moment ago, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_own())
            tasks.create_task(self._hand_on_others())
            tasks.create_task(self._look_again())

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_AGAIN_S)
            await self._learn_moved()
            waiting, self._waiting = self._waiting, []
            self._sort(waiting)

    def _sort(self, items: Iterable[_Item]) -> None:
        for item in items:
            holder = self._claims.holder(KIND, item.share)
            if holder is None:
                # It is about to be somebody's.
                self._waiting.append(item)
            elif holder == self._claims.name:
                self._own.append(item)
                self._own_came.set()
            else:
                self._others.setdefault(holder, []).append(item)
                self._others_came.set()

    async def _take_own(self) -> None:
        """Store what is ours, as much at a time as came meanwhile."""
        while True:
            await self._own_came.wait()
            self._own_came.clear()
            items, self._own = self._own, []
            with self._claims.work(KIND, {item.share for item in items}) as ours:
                # We may be only just coming to it, or about to let go of it.
                self._waiting += [item for item in items if item.share not in ours]
                if own := [item for item in items if item.share in ours]:
                    await self._store_own(own)

    async def _store_own(self, own: Sequence[_Item]) -> None:
        shares = {item.share for item in own}
        try:
            await self._keep([i.message for i in own], lambda: all(self._claims.held(KIND, s) for s in shares))
        except NotOurs:
            self._waiting += own
        else:
            await self._done(own)

    async def _hand_on_others(self) -> None:
        """Hand on what is not ours, as much at a time as came while the broker took what was before it."""
        while True:
            await self._others_came.wait()
            self._others_came.clear()
            others, self._others = self._others, {}
            await asyncio.gather(*(self._hand_on(holder, items) for holder, items in others.items()))

    async def _hand_on(self, holder: str, items: Sequence[_Item]) -> None:
        done = 0
        try:
            for payload, n in encode_handed([(i.message.topic, i.message.payload) for i in items]):
                if await self._bus.publish(between(holder, HANDED), payload) is False:
                    # It is only just coming, or gone.
                    self._waiting += items[done : done + n]
                else:
                    await self._done(items[done : done + n])
                done += n
        except BusError as error:
            self._tell_unhanded(holder, str(error))
            self._waiting += items[done:]
        else:
            self._unhanded.discard(holder)

    def _tell_unhanded(self, holder: str, cause: str) -> None:
        """Once until it works again; while there is no connection, that is told elsewhere."""
        if self._bus.connected and holder not in self._unhanded:
            self._unhanded.add(holder)
            log.error("message.not_handed_on", to=holder, cause=cause)

    async def _done(self, items: Iterable[_Item]) -> None:
        finished: dict[Bus, list[Message]] = {}
        for item in items:
            item.of.left -= 1
            if item.of.left == 0:
                finished.setdefault(item.of.bus, []).append(item.of.message)
        for bus, messages in finished.items():
            await bus.acknowledge(messages)

    # -- shares that come and go -----------------------------------------------------------------------------------

    async def _gained(self, shares: frozenset[int]) -> None:
        await self._store.learn(self._judge.meters_of(lambda sender: share_of(sender) in shares))
        await self._deliveries.gain(shares)
        self._mine |= shares
        # Their edges need not wait for answers that somebody else owes them.
        for edge, wanted in self._deliveries.greetings(shares):
            await self._greet(edge, wanted)

    async def _greet(self, edge: str, wanted: Wanted) -> None:
        try:
            await self._bus.publish(topic(edge, WANTED), encode(wanted))
        except BusError as error:
            log.debug("answer.lost", edge=edge, cause=str(error))

    async def _lost(self, shares: frozenset[int]) -> None:
        self._mine -= shares
        self._deliveries.lose(shares)

    async def _learn_moved(self) -> None:
        """Of meters that are read by another edge from now on, what somebody else has written."""
        told = self._judge.senders
        if told is self._told:
            return
        before, self._told = self._told, told
        moved = [m for m, sender in told.now.items() if before.now.get(m) != sender and share_of(sender) in self._mine]
        try:
            await self._store.learn(moved)
        except EnergyError as error:
            log.warning("meters.unlearnt", meters=len(moved), cause=str(error))
            self._told = before


def _items(message: Message, bus: Bus) -> list[_Item]:
    """The messages that one brings: itself, or what another process hands on."""
    if not message.topic.startswith(BETWEEN):
        return [_Item(message, _share(message.topic), _Delivery(message, 1, bus))]
    try:
        handed = decode_handed(message.payload)
    except ValueError as error:
        log.error("handed.broken", topic=message.topic, cause=str(error))
        handed = []
    # One that holds nothing is done as soon as it is looked at.
    of = _Delivery(message, max(len(handed), 1), bus)
    if not handed:
        return [_Item(message, _share(message.topic), of)]
    return [_Item(Message(one.topic, one.payload), _share(one.topic), of) for one in handed]


@lru_cache(maxsize=65_536)
def _share(of_topic: str) -> int:
    """The share of who sends under a topic; what no edge sends is in some share too, and is refused there."""
    return share_of(edge_and_leaf(of_topic)[0])
