"""Values of one meter that are wanted at different rates: which requests, and how often each.

A slow value is taken along in a faster request where that costs the line less per second than a request of its own
(edge: energies at a minute ride on powers at ten seconds); the choice is exact, over all ways to group the values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from collectors.planner import Atom, Block, RequestCost, atoms_of, touches
from collectors.register_map import Register, Table

# Which atom each rate's open request begins with; None where none is open. Open: it will go on past this atom.
_Open = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class TimedBlock:
    """A request that is made every so many seconds."""

    every_s: float
    block: Block


def plan_rates(
    wanted: Mapping[float, Sequence[Register]],
    cost: RequestCost,
    *,
    max_registers: int = 125,
    forbidden: Collection[tuple[Table, int]] = (),
) -> list[TimedBlock]:
    """The requests that bring every value at least as often as it is wanted, at the least bus time per second.

    Parameters
    ----------
    wanted : seconds between readings -> the registers wanted that often.
    cost, max_registers, forbidden : as of `planner.plan`.

    Returns
    -------
    Requests by rate, table and address; their Σ cost / every_s is the least there is, where a value that lies within
    another is read together with it. The work grows with n · k^rates: n values, k of which fit in one reply.
    """
    rates = sorted(rate for rate, registers in wanted.items() if registers)
    blocks: list[TimedBlock] = []
    for table in Table:
        atoms, ranks = _ranked(wanted, rates, table)
        for atom in atoms:
            if atom.end - atom.address > max_registers:
                raise ValueError(
                    f"registers {atom.address}..{atom.end - 1} must come from one reply, "
                    f"but the meter returns {max_registers} at most"
                )
        holes = [a for t, a in forbidden if t is table]
        blocks += _Search(atoms, ranks, rates, cost, max_registers, holes).best()
    return sorted(blocks, key=lambda b: (b.every_s, b.block))


def cost_per_s(blocks: Sequence[TimedBlock], cost: RequestCost) -> float:
    """The share of the line's time that the requests take."""
    return sum(cost.of(timed.block.count) / timed.every_s for timed in blocks)


def _ranked(
    wanted: Mapping[float, Sequence[Register]], rates: Sequence[float], table: Table
) -> tuple[list[Atom], list[int]]:
    """The atoms of a table, and the fastest rate at which any value within each is wanted.

    A value inside another is the other's atom: one that is wanted faster makes all of it fast, since only a reply that
    holds the whole is safe to take both from.
    """
    atoms = [a for a in atoms_of([r for registers in wanted.values() for r in registers]) if a.table is table]
    ranks = [len(rates) - 1] * len(atoms)
    for rank, rate in enumerate(rates):
        for inner in atoms_of(wanted[rate]):
            for i, atom in enumerate(atoms):
                if inner.table is table and atom.address <= inner.address and inner.end <= atom.end:
                    ranks[i] = min(ranks[i], rank)
    return atoms, ranks


@dataclass(frozen=True, slots=True)
class _Step:
    """The cheapest way to a state: what it came from, and the requests that ended on the way."""

    cost: float
    before: tuple[int, _Open] | None
    ended: tuple[tuple[int, int, int], ...]  # (rank, first atom, last atom)


class _Search:
    """Forward over the atoms: each is read by one of the rates fast enough for it."""

    def __init__(
        self,
        atoms: Sequence[Atom],
        ranks: Sequence[int],
        rates: Sequence[float],
        cost: RequestCost,
        most: int,
        holes: Sequence[int],
    ) -> None:
        self._atoms, self._ranks, self._rates = atoms, ranks, rates
        self._cost, self._most, self._holes = cost, most, holes

    def best(self) -> list[TimedBlock]:
        """The cheapest requests."""
        nothing: _Open = (None,) * len(self._rates)
        layers: list[dict[_Open, _Step]] = [{nothing: _Step(0.0, None, ())}]
        for i in range(len(self._atoms)):
            reached: dict[_Open, _Step] = {}
            for state, step in layers[-1].items():
                for after, added, ended in self._moves(i, state):
                    total = step.cost + added
                    if after not in reached or total < reached[after].cost:
                        reached[after] = _Step(total, (i, state), ended)
            layers.append(reached)
        return list(self._told(layers, nothing))

    def _moves(self, i: int, state: _Open) -> Iterator[tuple[_Open, float, tuple[tuple[int, int, int], ...]]]:
        """The states after atom i, what each costs per second, and which request ends with it."""
        atom = self._atoms[i]
        grown = self._grown(i, state)
        if grown is None:
            return
        for rank in range(self._ranks[i] + 1):
            rate = self._rates[rank]
            begun, added = state[rank], grown
            if begun is None:
                begun = i
                added += self._cost.of(atom.end - atom.address) / rate
            on = (*state[:rank], begun, *state[rank + 1 :])
            yield on, added, ()
            yield (*state[:rank], None, *state[rank + 1 :]), added, ((rank, begun, i),)

    def _grown(self, i: int, state: _Open) -> float | None:
        """What it costs per second that every open request goes on past atom i; None where one cannot."""
        if all(begun is None for begun in state):
            return 0.0
        before, atom = self._atoms[i - 1].end, self._atoms[i]
        if touches(self._holes, before, atom.address):
            return None
        added = 0.0
        for begun, rate in zip(state, self._rates, strict=True):
            if begun is not None:
                if atom.end - self._atoms[begun].address > self._most:
                    return None
                added += self._cost.per_register_s * (atom.end - before) / rate
        return added

    def _told(self, layers: Sequence[Mapping[_Open, _Step]], nothing: _Open) -> Iterator[TimedBlock]:
        state, i = nothing, len(self._atoms)
        while i:
            step = layers[i][state]
            for rank, first, last in step.ended:
                start = self._atoms[first]
                block = Block(start.table, start.address, self._atoms[last].end - start.address)
                yield TimedBlock(self._rates[rank], block)
            assert step.before is not None
            i, state = step.before
