"""How a CJ/T 188 meter is read: one question, whose answer holds all that the meter tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from collectors.asked import number
from collectors.cjt188.make import NumberField, RecordMake
from collectors.cjt188.questions import ReadData
from collectors.decoder import Decoded, as_wired
from collectors.lines.line import Line, Reply
from energy.readings import Quality, Reason
from energy.sites import Meter


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A field under the name that its quantity has as the meter is built in."""

    name: str
    turned: bool
    field: NumberField

    def decoded(self, data: bytes) -> Decoded:
        of = self.field
        times = Fraction(1) if of.codes is None or of.code_at is None else of.codes.get(data[of.code_at])
        if times is None:
            # A unit that does not measure this, or that nobody knows: the digits alone say nothing.
            return Decoded(self.name, None, Quality.BAD, Reason.NOT_A_NUMBER)
        raw = data[of.at : of.at + of.length]
        return number(self.name, raw, of.scale * times, signed=of.signed, turned=self.turned)


@dataclass(slots=True)
class RecordAsked:
    """The record of a meter; each question has the next serial number, so that a late answer is known to be one."""

    address: str
    make: RecordMake
    wanted: tuple[_Wanted, ...]
    _serial: int = -1

    @property
    def identifier(self) -> bytes:
        return self.make.item

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is asked for, as it is called at this meter."""
        return tuple(wanted.name for wanted in self.wanted)

    @property
    def lengths(self) -> tuple[int, int]:
        question = self._question(0)
        return len(question.request), question.answer_length

    async def ask(self, line: Line) -> Reply:
        self._serial = (self._serial + 1) % 256
        return await line.ask(self._question(self._serial))

    def _question(self, serial: int) -> ReadData:
        make = self.make
        return ReadData(make.meter_type, self.address, make.item, serial, make.length)

    def decode(self, payload: bytes) -> Sequence[Decoded]:
        """What the record says; where the meter's status doubts itself, every good value is uncertain."""
        if len(payload) != self.make.length:
            raise ValueError(f"record of {len(payload)} bytes, where {self.make.length} are due")
        found = [wanted.decoded(payload) for wanted in self.wanted]
        if not doubts(self.make, payload):
            return found
        return [d._replace(quality=Quality.UNCERTAIN, reason=Reason.MARKED) if not d.quality else d for d in found]


def doubts(make: RecordMake, payload: bytes) -> list[str]:
    """Why a meter doubts its own record: battery low, valve faulty."""
    if make.status is None:
        return []
    status = int.from_bytes(payload[make.status], "little")
    return [doubt.why for doubt in make.doubts if status & doubt.bits == doubt.value]


def compile_record(meter: Meter, make: RecordMake) -> list[RecordAsked]:
    """What is asked of a meter as it is installed, for its own `quantities`, or all of the make where it names none."""
    assert meter.address is not None
    names = meter.quantities or tuple(as_wired(name, reversed_=meter.reversed)[0] for name in make.quantities)
    held = [(name, *as_wired(name, reversed_=meter.reversed)) for name in names]
    wanted = tuple(_Wanted(name, turned, make.field(field)) for name, field, turned in held)
    return [RecordAsked(meter.address, make, wanted)]
