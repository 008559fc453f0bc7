"""What a meter refuses to be asked, found out by asking less: registers that nobody may touch, points that it has not.

A meter answers a request over a register that it has not with exception 2 (some with 3 or 1), and so one hole hides
all its neighbours. Here a refused request is halved until it is known which hole, which point or which length was the
cause; what is asked on the way brings values too. Pure: it is told what was refused and what was answered, and says
what to ask instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from collectors.planner import Atom, Block, atoms_of
from collectors.register_map import Register, Table

# Exceptions by which a meter may say that a register is not there: illegal address, illegal value, illegal function.
CODES = frozenset({1, 2, 3})
# After how long a point that was refused is tried again: the first times soon, in case the meter was only starting.
_AGAIN_MS = (600_000, 3_600_000, 86_400_000)
# For so long a meter that refuses everything is not asked in pieces again.
_HOPELESS_MS = 600_000


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A point that the meter refused by itself: when last, and how often in a row."""

    since_ms: int
    times: int = 1

    def is_due(self, now_ms: int) -> bool:
        """Whether it is time to try again; also where it is told to have been later than now, by a clock set since."""
        return not 0 <= now_ms - self.since_ms < _AGAIN_MS[min(self.times, len(_AGAIN_MS)) - 1]


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of one meter; it is kept beside the meter, since a second of the same make may be another.

    forbidden : registers that no request may touch. cuts : registers at which a request must begin anew.
    unsupported : quantities that it has not, by name. longest : registers that it returns at once, where fewer than its
    profile says.
    """

    forbidden: frozenset[tuple[Table, int]] = frozenset()
    cuts: frozenset[tuple[Table, int]] = frozenset()
    unsupported: Mapping[str, Unsupported] = field(default_factory=dict)
    longest: int | None = None


@dataclass(slots=True)
class _Trial:
    """A refused request and the two that took its place; `bridge` where what lies between these is tried."""

    block: Block
    left: Block
    right: Block
    open: set[Block]
    refused: bool = False
    bridge: bool = False


class Refusals:
    """The state of what is being found out about one meter."""

    def __init__(self, registers: Sequence[Register], learnt: Learnt | None = None) -> None:
        self._registers = {r.quantity: r for r in registers}
        self.learnt = learnt or Learnt()
        self._trials: list[_Trial] = []
        self._longest_answered = 0
        self._hopeless_ms: int | None = None

    @property
    def forbidden(self) -> frozenset[tuple[Table, int]]:
        """The registers that no request may read over: those of holes, and of points that are not there."""
        missing = [self._registers[q] for q in self.learnt.unsupported if q in self._registers]
        own = {(p.table, a) for r in missing for p in r.pieces for a in range(p.address, p.end)}
        return self.learnt.forbidden | own

    def on_trial(self, now_ms: int) -> list[str]:
        """The quantities that are asked again, each by itself so that it hides no neighbour."""
        return [q for q, found in self.learnt.unsupported.items() if q in self._registers and found.is_due(now_ms)]

    def refused(self, block: Block, now_ms: int) -> list[Block]:
        """What to ask now instead of a refused request; nothing where all is known, or nothing can be."""
        if self._hopeless_ms is not None and now_ms - self._hopeless_ms < _HOPELESS_MS:
            return []
        bridged = False
        for trial in [t for t in self._trials if block in t.open]:
            trial.open.discard(block)
            trial.refused = True
            if trial.bridge:
                self._trials.remove(trial)
                self._forbid(trial)
                bridged = True
        asks = [] if bridged else self._divide(block, now_ms)
        return asks + self._concluded()

    def answered(self, block: Block) -> list[Block]:
        """What to ask now besides, since a request was answered; nothing as a rule."""
        self._hopeless_ms = None
        self._longest_answered = max(self._longest_answered, block.count)
        known = self.learnt.unsupported
        if back := {q for q in known if q in self._registers and _holds(block, self._registers[q])}:
            self.learnt = replace(self.learnt, unsupported={q: u for q, u in known.items() if q not in back})
        for trial in [t for t in self._trials if block in t.open]:
            trial.open.discard(block)
            if trial.bridge:
                self._trials.remove(trial)
                self._shorten(trial)
        return self._concluded()

    def _divide(self, block: Block, now_ms: int) -> list[Block]:
        """The halves of a refused request; where it cannot be halved, its points are not there."""
        self._trials = [t for t in self._trials if t.bridge or t.block != block]
        within = self._within(block)
        own = [q for q in within if _block(atoms_of([self._registers[q]])) == block]
        atoms = [a for a in atoms_of([self._registers[q] for q in within]) if a.table is block.table]
        if len(atoms) > 1:
            left, right = _block(atoms[: len(atoms) // 2]), _block(atoms[len(atoms) // 2 :])
            self._trials.append(_Trial(block, left, right, {left, right}))
            return [left, right]
        # One span of registers: the value that fills it is not there; those inside it may be.
        self._mark(own, now_ms)
        return sorted({_block(atoms_of([self._registers[q]])) for q in within if q not in own} - {block})

    def _within(self, block: Block) -> list[str]:
        """The quantities that a request brings: those not yet found missing, or the one that it asks again."""
        held = [q for q, r in self._registers.items() if _holds(block, r)]
        again = [q for q in held if q in self.learnt.unsupported]
        return [q for q in held if q not in again] or again

    def _mark(self, quantities: Sequence[str], now_ms: int) -> None:
        found = dict(self.learnt.unsupported)
        for name in quantities:
            found[name] = Unsupported(now_ms, found[name].times + 1 if name in found else 1)
        if quantities and set(found) >= set(self._registers):
            # It refuses everything: that says something of the meter, its table or its unit, and nothing of its points.
            found, self._hopeless_ms, self._trials = {}, now_ms, []
        self.learnt = replace(self.learnt, unsupported=found)

    def _concluded(self) -> list[Block]:
        """Where both halves were answered, what lies between was refused, or the length: try the shortest over it."""
        asks: list[Block] = []
        for trial in [t for t in self._trials if not t.open]:
            self._trials.remove(trial)
            if trial.refused:
                continue
            bridge = _block([self._atoms(trial.left)[-1], self._atoms(trial.right)[0]])
            if bridge == trial.block:
                self._forbid(trial)
            else:
                self._trials.append(_Trial(trial.block, trial.left, trial.right, {bridge}, bridge=True))
                asks.append(bridge)
        return asks

    def _atoms(self, block: Block) -> list[Atom]:
        return [a for a in atoms_of([self._registers[q] for q in self._within(block)]) if a.table is block.table]

    def _forbid(self, trial: _Trial) -> None:
        table, start, end = trial.block.table, trial.left.end, trial.right.address
        hole = {(table, address) for address in range(start, end)}
        cut = set() if hole else {(table, trial.right.address)}
        self.learnt = replace(self.learnt, forbidden=self.learnt.forbidden | hole, cuts=self.learnt.cuts | cut)

    def _shorten(self, trial: _Trial) -> None:
        """So many at once are too many: go half the way to the most that was ever answered."""
        refused, answered = trial.block.count, self._longest_answered
        halves = max(trial.left.count, trial.right.count)
        longest = (answered + refused) // 2 if answered < refused else halves
        needed = max(a.end - a.address for a in atoms_of(list(self._registers.values())))
        self.learnt = replace(self.learnt, longest=max(longest, needed))


def _holds(block: Block, register: Register) -> bool:
    return all(block.holds(piece) for piece in register.pieces)


def _block(atoms: Sequence[Atom]) -> Block:
    start = atoms[0].address
    return Block(atoms[0].table, start, max(a.end for a in atoms) - start)
