"""From registers to the fewest and cheapest block reads: exact, by dynamic programming over the cost of a request.

Reading a hole costs the time of its registers, a second request costs the time of a turn; which is cheaper depends on
the line, so the plan is made from the line's own cost and nothing is left to be tuned.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from itertools import groupby

from collectors.register_map import Part, Register, Table


@dataclass(frozen=True, slots=True)
class RequestCost:
    """What a request costs on a line: `fixed_s` for the turn, `per_register_s` for each register it returns."""

    fixed_s: float
    per_register_s: float

    @classmethod
    def tcp(cls, turn_s: float = 0.011) -> RequestCost:
        """Modbus TCP: the turn is nearly all of it (round trip and the meter's own delay), registers are free."""
        return cls(turn_s, 0.2e-6)

    @classmethod
    def serial(
        cls, baud: int, *, parity: str = "none", stop_bits: int = 1, latency_s: float = 0.02, data_bits: int = 8
    ) -> RequestCost:
        """RTU on a serial line as it is set; `latency_s` is the meter's and the adapter's own delay together.

        >>> RequestCost.serial(9600, parity="even", latency_s=0).of(125) > RequestCost.serial(9600, latency_s=0).of(125)
        True
        """
        bits = 1 + data_bits + (parity != "none") + stop_bits
        return cls.rtu(baud, bits_per_character=bits, latency_s=latency_s)

    @classmethod
    def rtu(cls, baud: int, *, bits_per_character: int = 10, latency_s: float = 0.02) -> RequestCost:
        """RTU: 8 characters asked, 5 + 2n answered, two silences of 3.5 characters (1.75 ms at least above 19200)."""
        character_s = bits_per_character / baud
        silence_s = 3.5 * character_s if baud <= 19200 else 1.75e-3
        return cls(13 * character_s + 2 * silence_s + latency_s, 2 * character_s)

    @property
    def break_even(self) -> float:
        """How many unwanted registers cost as much as another request; a hole of fewer is read over."""
        return self.fixed_s / self.per_register_s if self.per_register_s else float("inf")

    def of(self, count: int) -> float:
        """Seconds that a request of so many registers takes."""
        return self.fixed_s + self.per_register_s * count


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """One read request: `count` registers of a table from `address` on."""

    table: Table
    address: int
    count: int

    @property
    def end(self) -> int:
        return self.address + self.count

    def holds(self, part: Part) -> bool:
        return part.table is self.table and self.address <= part.address and part.end <= self.end


@dataclass(frozen=True, slots=True)
class Atom:
    """Registers that must come from one reply, or their words could be of different moments."""

    table: Table
    address: int
    end: int


def plan(
    registers: Sequence[Register],
    cost: RequestCost,
    *,
    max_registers: int = 125,
    forbidden: Collection[tuple[Table, int]] = (),
    cuts: Collection[tuple[Table, int]] = (),
) -> list[Block]:
    """The cheapest set of block reads that returns every register.

    Parameters
    ----------
    registers : what is wanted; the parts of one register always come from one reply.
    cost : what a request costs on the line.
    max_registers : the most that the meter returns at once, 1..125.
    forbidden : registers that no request may touch unless a wanted value lies on them.
    cuts : registers at which a request must begin anew; those inside a value do not count.

    Returns
    -------
    Blocks by table and address, together of the least cost; O(n · k), k being the atoms that fit in one reply.
    """
    atoms = atoms_of(registers)
    for atom in atoms:
        if atom.end - atom.address > max_registers:
            raise ValueError(
                f"registers {atom.address}..{atom.end - 1} must come from one reply, "
                f"but the meter returns {max_registers} at most"
            )
    holes = {table: sorted(a for t, a in forbidden if t is table) for table in Table}
    begin = {table: {a for t, a in cuts if t is table} for table in Table}
    blocks: list[Block] = []
    for table, group in groupby(atoms, key=lambda a: a.table):
        blocks += _cheapest(list(group), cost, max_registers, holes[table], begin[table])
    return blocks


def total_cost_s(blocks: Sequence[Block], cost: RequestCost) -> float:
    """Seconds that the requests take together."""
    return sum(cost.of(block.count) for block in blocks)


def by_rules_of_thumb(registers: Sequence[Register], max_registers: int = 125) -> dict[str, list[Block]]:
    """What others would ask for the same values: one request for each, or one for each run without a hole."""
    spans = sorted(
        {(t.value, min(p.address for p in ps), max(p.end for p in ps)) for r in registers for t, ps in _by_table(r)}
    )
    one = [Block(Table(t), start, end - start) for t, start, end in spans]
    runs: list[Block] = []
    for block in one:
        last = runs[-1] if runs else None
        end = max(block.end, last.end) if last else 0
        if last and last.table is block.table and block.address <= last.end and end - last.address <= max_registers:
            runs[-1] = Block(last.table, last.address, end - last.address)
        else:
            runs.append(block)
    return {"one for each value": one, "contiguous": runs}


def atoms_of(registers: Sequence[Register]) -> list[Atom]:
    """Spans by table and address, none within another; so both their starts and their ends ascend."""
    spans = sorted(
        (table.value, min(p.address for p in parts), max(p.address + p.length for p in parts))
        for register in registers
        for table, parts in _by_table(register)
    )
    atoms: list[Atom] = []
    for table_name, start, end in spans:
        table = Table(table_name)
        if atoms and atoms[-1].table is table and atoms[-1].address == start:
            atoms.pop()  # the longer of those that begin together comes later
        if not atoms or atoms[-1].table is not table or end > atoms[-1].end:
            atoms.append(Atom(table, start, end))
    return atoms


def _by_table(register: Register) -> list[tuple[Table, list[Part]]]:
    return [(t, found) for t in Table if (found := [p for p in register.pieces if p.table is t])]


def _cheapest(
    atoms: list[Atom], cost: RequestCost, max_registers: int, holes: list[int], begin: Set[int]
) -> list[Block]:
    """best[j]: least cost of the first j atoms; the last block begins at atom begins[j]."""
    best = [0.0] + [float("inf")] * len(atoms)
    begins = [0] * (len(atoms) + 1)
    for j in range(1, len(atoms) + 1):
        end = atoms[j - 1].end
        for i in range(j - 1, -1, -1):
            start = atoms[i].address
            if end - start > max_registers or (i < j - 1 and _parted(atoms[i], atoms[i + 1], holes, begin)):
                break
            candidate = best[i] + cost.of(end - start)
            if candidate < best[j]:
                best[j], begins[j] = candidate, i
    blocks: list[Block] = []
    j = len(atoms)
    while j:
        i = begins[j]
        blocks.append(Block(atoms[i].table, atoms[i].address, atoms[j - 1].end - atoms[i].address))
        j = i
    return blocks[::-1]


def _parted(one: Atom, other: Atom, holes: Sequence[int], begin: Set[int]) -> bool:
    """Whether no request may hold both."""
    return other.address in begin or touches(holes, one.end, other.address)


def touches(holes: Sequence[int], start: int, end: int) -> bool:
    """Whether one of the registers from start to before end is a hole."""
    return any(start <= hole < end for hole in holes)
