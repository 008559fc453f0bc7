"""How a DL/T 645 meter is read: blocks where two members are wanted or more, single items else.

A meter need not have every item. What it refuses is marked as unsupported, is left out for a while, and its neighbours
are read all the same; a block that it refuses is read item by item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from collectors.asked import Now, number
from collectors.decoder import Decoded, as_wired, transformer_ratios
from collectors.dlt645.make import Item, ItemMake
from collectors.dlt645.questions import NO_SUCH_DATA, ReadItem, ReadMore
from collectors.lines.line import Line, Refused, Reply, Untrusted
from energy.quantities import quantity
from energy.readings import Quality, Reason
from energy.sites import Meter

# A refused item is asked for again after this many rounds: a meter may be set up anew.
_LEFT_OUT = 100
# Identifier and length before the data of each answer, in a payload of several.
_NAMED = 6


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An item under the name that its quantity has as the meter is wired; None where nobody wants it."""

    item: Item
    name: str | None
    turned: bool
    scale: Fraction

    def decoded(self, raw: bytes) -> Decoded:
        assert self.name is not None
        return number(self.name, raw[: self.item.length], self.scale, signed=self.item.signed, turned=self.turned)


@dataclass(slots=True)
class ItemsAsked:
    """Items that are asked for together: `block` in one request, or one by one where it is None or refused."""

    address: str
    block: bytes | None
    block_lengths: frozenset[int]
    members: tuple[_Wanted, ...]
    now: Now
    _round: int = 0
    _refused: dict[bytes, int] = field(default_factory=dict)

    @property
    def identifier(self) -> bytes:
        return self.block or self.members[0].item.identifier

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is asked for, as it is called at this meter."""
        return tuple(wanted.name for wanted in self.members if wanted.name is not None)

    @property
    def lengths(self) -> tuple[int, int]:
        question = self._question(self.identifier)
        return len(question.request), question.answer_length

    async def ask(self, line: Line) -> Reply:
        """The answers, each behind its identifier and length; items that the meter refuses are not among them."""
        self._round += 1
        if self.block is not None and self._is_worth(self.block):
            reply = await self._tried(line, self.block)
            if reply is not None:
                return reply
        singly = [w.item.identifier for w in self.members if w.name is not None]
        replies = [await self._tried(line, item) for item in singly if self._is_worth(item)]
        return _together([reply for reply in replies if reply is not None], self.now)

    def _is_worth(self, identifier: bytes) -> bool:
        return self._round >= self._refused.get(identifier, 0)

    async def _tried(self, line: Line, identifier: bytes) -> Reply | None:
        try:
            return await _read(line, self._question(identifier))
        except Refused as refusal:
            # For another reason, such as being busy, it may be refused but once.
            if refusal.code & NO_SUCH_DATA:
                self._refused[identifier] = self._round + _LEFT_OUT
            return None

    def _question(self, identifier: bytes) -> ReadItem:
        if identifier == self.block:
            due = sum(wanted.item.span for wanted in self.members)
            return ReadItem(self.address, identifier, self.block_lengths, due)
        [span] = [wanted.item.span for wanted in self.members if wanted.item.identifier == identifier]
        return ReadItem(self.address, identifier, frozenset((span,)))

    def decode(self, payload: bytes) -> Sequence[Decoded]:
        """What the answers say; what is not among them the meter does not support."""
        answers = dict(_answers(payload))
        if self.block is not None and self.block in answers:
            answers = dict(self._split(answers[self.block]))
        return [
            wanted.decoded(answers[wanted.item.identifier])
            if wanted.item.identifier in answers
            else Decoded(wanted.name, None, Quality.BAD, Reason.UNSUPPORTED)
            for wanted in self.members
            if wanted.name is not None
        ]

    def _split(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The members of a block; a meter with fewer tariffs or phases sends fewer, from the first on."""
        at = 0
        for wanted in self.members:
            if at + wanted.item.span > len(data):
                return
            yield wanted.item.identifier, data[at : at + wanted.item.span]
            at += wanted.item.span


def _answers(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(payload):
        data_at = at + _NAMED
        end = data_at + int.from_bytes(payload[at + 4 : data_at], "big")
        if end > len(payload):
            raise ValueError(f"{len(payload)} bytes are no answers: one reaches to {end}")
        yield payload[at : at + 4], payload[data_at:end]
        at = end


async def _read(line: Line, question: ReadItem) -> Reply:
    """An item, all frames of it."""
    identifier, lengths = question.identifier, question.lengths
    reply = await line.ask(question)
    followed, data, sequence = reply.payload[0], reply.payload[1:], 0
    while followed and len(data) < max(lengths):
        sequence += 1
        more = await line.ask(ReadMore(question.address, identifier, sequence, max(lengths) - len(data)))
        followed, data = more.payload[0], data + more.payload[1:]
    if followed or len(data) not in lengths:
        due = " or ".join(map(str, sorted(lengths)))
        raise Untrusted(f"item {identifier.hex().upper()} has {len(data)} bytes or more, where {due} are due")
    return Reply(identifier + len(data).to_bytes(2, "big") + data, reply.taken_at, reply.took_s)


def _together(replies: Sequence[Reply], now: Now) -> Reply:
    """Several answers as one, of the instant in their middle."""
    if not replies:
        return Reply(b"", now(), 0.0)
    first, last = replies[0].taken_at, replies[-1].taken_at
    return Reply(b"".join(r.payload for r in replies), first + (last - first) / 2, sum(r.took_s for r in replies))


def compile_items(meter: Meter, make: ItemMake, now: Now) -> list[ItemsAsked]:
    """What is asked of a meter as it is installed, for its own `quantities`, or all of the make where it names none."""
    assert meter.address is not None
    names = meter.quantities or tuple(as_wired(name, reversed_=meter.reversed)[0] for name in make.quantities)
    wanted: dict[str, _Wanted] = {}
    ratios = transformer_ratios(meter)
    for name in names:
        held, turned = as_wired(name, reversed_=meter.reversed)
        item = make.item(held)
        wanted[held] = _Wanted(item, name, turned, item.scale * ratios[quantity(name).transformed])
    asked: list[ItemsAsked] = []
    for block in make.blocks:
        if sum(member in wanted for member in block.members) >= 2:
            members = tuple(_member(make, member, wanted) for member in block.members)
            asked.append(ItemsAsked(meter.address, block.identifier, make.lengths(block), members, now))
    singly = (one for one in wanted.copy().values())
    return [*asked, *(ItemsAsked(meter.address, None, frozenset(), (one,), now) for one in singly)]


def _member(make: ItemMake, name: str, wanted: dict[str, _Wanted]) -> _Wanted:
    """A member of a block, which then need not be asked for otherwise."""
    return wanted.pop(name, None) or _Wanted(make.item(name), None, False, Fraction(1))
