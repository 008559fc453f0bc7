"""What the nameplate of a meter says and in which state it is, read once for whoever stands before it."""

from __future__ import annotations

import msgspec

from collectors.lines.opening import open_line
from collectors.meter_profile import load_profile
from collectors.nameplate import marking_plans
from energy.errors import LineError
from energy.ports import Clock


class TextWords(msgspec.Struct):
    """A text, None where what came is none; `error` where nothing came."""

    name: str
    text: str | None
    error: str | None = None


async def read_texts(make: str, line_address: str, unit: int, clock: Clock, timeout_s: float) -> list[TextWords]:
    """Every text of a profile; one that is refused is told, the others are read."""
    profile = load_profile(make)
    found: list[TextWords] = []
    async with open_line(line_address, now=clock.now, timeout_s=timeout_s) as line:
        for plan in marking_plans((*profile.nameplate, *profile.status)):
            try:
                reply = await line.read(unit, plan.block)
            except LineError as error:
                found.append(TextWords(plan.marking.name, None, str(error)))
            else:
                found.append(TextWords(plan.marking.name, plan.text(reply.payload)))
    return found
