"""The life of a meter as its counter sees it: where registers end and begin, and what their readings are worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from energy.life import EventKind, MeterEvent
from energy.series import MICRO

_ENDS = frozenset(
    {EventKind.INSTALLED, EventKind.REMOVED, EventKind.EXCHANGED, EventKind.RATIO_CHANGED, EventKind.FAULTY}
)


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where one life of a register ends and the next begins.

    at_ms : the instant; a reading at it belongs to the new life, unless an initial register is told.
    final, initial : the old register at its end, the new one at its beginning [millionths]; None where not known.
    ratio : what the readings of the new life are multiplied by; None for what they were multiplied by before.
    continues : the register itself goes on; final and initial are read off its course where they are not told.
    explained : nothing flowed that is not known of: what lies between the lives is missing, not disputed.
    """

    at_ms: int
    final: int | None = None
    initial: int | None = None
    ratio: float | None = None
    continues: bool = False
    explained: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """All that the events of a meter say of one of its counters.

    boundaries : in the order of time.
    manual : (instant, register [millionths]) of readings taken by hand.
    faulty : [from, to) in which what the meter shows does not count.
    """

    boundaries: tuple[Boundary, ...] = ()
    manual: tuple[tuple[int, int], ...] = ()
    faulty: tuple[tuple[int, int], ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.boundaries or self.manual)


def life_of(events: Iterable[MeterEvent], quantity: str, *, main: bool) -> Life:
    """The life of one counter of a meter.

    `main` says that it is the counter that events without a quantity have the registers of; the meter's other counters
    know that something happened, but not what they showed.
    """
    boundaries: list[Boundary] = []
    manual: list[tuple[int, int]] = []
    faulty: list[tuple[int, int]] = []
    for event in sorted(events, key=lambda e: e.at_ms):
        told = event.quantity == quantity or (event.quantity is None and main)
        if event.kind is EventKind.MANUAL and told:
            manual.append((event.at_ms, _micro(event.final_register) or 0))
        elif event.kind in _ENDS and (told or event.quantity is None):
            boundaries += _boundaries(event, told=told)
        if event.kind is EventKind.FAULTY and event.until_ms is not None and (told or event.quantity is None):
            faulty.append((event.at_ms, event.until_ms))
    return Life(_merged(boundaries), tuple(manual), tuple(faulty))


def _boundaries(event: MeterEvent, *, told: bool) -> list[Boundary]:
    final = _micro(event.final_register) if told else None
    initial = _micro(event.initial_register) if told else None
    match event.kind:
        case EventKind.FAULTY:
            assert event.until_ms is not None
            return [Boundary(event.at_ms, final), Boundary(event.until_ms, None, initial)]
        case EventKind.RATIO_CHANGED:
            return [Boundary(event.at_ms, final, initial, event.ratio, continues=True)]
        case EventKind.EXCHANGED:
            return [Boundary(event.at_ms, final, initial, event.ratio)]
        case _:
            return [Boundary(event.at_ms, final, initial, explained=True)]


def _merged(boundaries: Sequence[Boundary]) -> tuple[Boundary, ...]:
    """In the order of time; of two at one instant the later told one stands."""
    by_instant = {b.at_ms: b for b in boundaries}
    return tuple(by_instant[at] for at in sorted(by_instant))


def _micro(register: float | None) -> int | None:
    return None if register is None else round(register * MICRO)
