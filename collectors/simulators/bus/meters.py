"""All meters of a bus: who is addressed, what it says, and what its misbehaviours make of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from collectors.simulators.bus.misbehaviour import LASTING, Kind, Misbehaviour
from collectors.simulators.bus.served import Served, ServedLog
from collectors.simulators.bus.slave import Slave
from collectors.simulators.bus.wire import Saying

_TWISTED = frozenset(
    {
        Kind.SHORT,
        Kind.LONG,
        Kind.WRONG_UNIT,
        Kind.WRONG_FUNCTION,
        Kind.WRONG_TRANSACTION,
        Kind.WRONG_ECHO,
        Kind.EXCEPTION,
    }
)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a meter thinks: `least_s`, and up to `jitter_s` more by chance."""

    least_s: float = 0.02
    jitter_s: float = 0.0

    def drawn(self, chance: Random) -> float:
        return self.least_s + (chance.random() * self.jitter_s if self.jitter_s else 0.0)


class _Member:
    """A meter on the bus, its own chance, and how often each of its misbehaviours was looked at and took place."""

    def __init__(self, slave: Slave, misbehaviours: Sequence[Misbehaviour], seed: int) -> None:
        self.slave = slave
        self.misbehaviours = [m for m in misbehaviours if m.concerns(slave.unit) and m.kind not in LASTING]
        # Of its own, so that what one meter does is the same whatever the others are asked.
        self.chance = Random(f"{seed}/{slave.name}")  # noqa: S311 - no secret
        self.asked: Counter[int] = Counter()
        self.took: Counter[int] = Counter()
        self.before = b""
        self.down_until = float("-inf")

    def now(self, since_s: float) -> list[Misbehaviour]:
        """Those that take place at this request."""
        return [m for i, m in enumerate(self.misbehaviours) if self._takes_place(i, m, since_s)]

    def _takes_place(self, i: int, m: Misbehaviour, since_s: float) -> bool:
        self.asked[i] += 1
        number = self.asked[i] - (m.after or 0)
        by_chance = m.rate is None or self.chance.random() < m.rate
        if number < 1 or not by_chance or (m.every is not None and number % m.every):
            return False
        if since_s < (m.from_ or 0.0) or (m.until is not None and since_s >= m.until):
            return False
        if m.times is not None and self.took[i] >= m.times:
            return False
        self.took[i] += 1
        return True


class Meters:
    """The meters of a bus as the wire meets them; `log` tells what each did. The same seed, the same deeds.

    `began_at` is what `from` and `until` of misbehaviours count from, by default the end of the first request.
    """

    def __init__(
        self,
        slaves: Sequence[Slave],
        misbehaviours: Sequence[Misbehaviour] = (),
        *,
        latency: Latency | Callable[[Slave], Latency] = Latency(),
        seed: int = 0,
        log: ServedLog | None = None,
        began_at: float | None = None,
    ) -> None:
        self._members = [_Member(slave, misbehaviours, seed) for slave in slaves]
        self._latency = latency if callable(latency) else lambda _: latency
        self.log = log if log is not None else ServedLog()
        self._began_at = began_at

    @property
    def names(self) -> list[str]:
        return [member.slave.name for member in self._members]

    def hear(self, burst: bytes, at: float) -> list[Saying]:
        """What is said to a burst that ended at a time, by whoever is addressed."""
        if self._began_at is None:
            self._began_at = at
        sayings: list[Saying] = []
        felt_addressed = False
        for member in self._members:
            answer = member.slave.answer(burst)
            if answer is None:
                continue
            felt_addressed = True
            said, did = self._speaks(member, burst, answer, at)
            whole = b"".join(s.data for s in said)
            honest = None if Kind.REBOOT in did else answer
            self.log.add(Served(at, member.slave.name, burst, honest, whole, did))
            sayings += said
        if not felt_addressed:
            self.log.add(Served(at, None, burst, None, b"", ()))
        return sayings

    def _speaks(
        self, member: _Member, request: bytes, answer: bytes, at: float
    ) -> tuple[list[Saying], tuple[str, ...]]:
        thinks_s = self._latency(member.slave).drawn(member.chance)
        if at < member.down_until:
            return [], (Kind.REBOOT,)
        assert self._began_at is not None
        deeds = member.now(at - self._began_at)
        said = [Saying(answer, thinks_s)]
        for deed in deeds:
            said = self._done(deed, member, request, said, at)
        member.before = answer
        return said, tuple(deed.kind for deed in deeds)

    def _done(self, deed: Misbehaviour, member: _Member, request: bytes, said: list[Saying], at: float) -> list[Saying]:
        """What a meter says after one more misbehaviour; the first saying is the answer, if there is one still."""
        if not said:
            return []
        first, others = said[0], said[1:]
        chance, by, many = member.chance, deed.by or 0.0, deed.bytes or 1
        match deed.kind:
            case Kind.SILENT:
                return []
            case Kind.REBOOT:
                member.slave.reboot()
                member.down_until = at + by
                return []
            case Kind.SLOW | Kind.LATE:
                return [replace(s, after_s=s.after_s + by) for s in said]
            case Kind.GARBLE:
                first = replace(first, data=garbled(first.data, many, chance))
            case Kind.CUT:
                first = replace(first, data=first.data[:-many])
            case Kind.RESET:
                return [replace(first, data=first.data[:many], hangs_up=True)]
            case Kind.DRIBBLE:
                first = replace(first, gap_s=deed.gap or 0.0)
            case Kind.GLUED:
                first = replace(first, data=first.data + (member.before or first.data))
            case Kind.NOISE if deed.by is not None:
                others = [*others, Saying(chance.randbytes(many), first.after_s + by)]
            case Kind.NOISE:
                first = replace(first, data=chance.randbytes(many) + first.data)
            case kind if kind in _TWISTED:
                first = replace(first, data=member.slave.twisted(deed, request, first.data, chance))
        return [first, *others]


def garbled(data: bytes, many: int, chance: Random) -> bytes:
    """The data with so many of its bytes, at most all of them, turned into others."""
    turned = bytearray(data)
    for place in chance.sample(range(len(data)), min(many, len(data))):
        turned[place] ^= chance.randint(1, 255)
    return bytes(turned)
