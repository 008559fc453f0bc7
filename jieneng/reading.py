"""One meter read once, for whoever stands before it."""

from __future__ import annotations

import msgspec

from collectors.decoder import BlockPlan, compile_meter
from collectors.lines.line import Line
from collectors.lines.opening import open_line
from collectors.meter_profile import load_profile
from energy.errors import LineError
from energy.ports import Clock
from energy.quantities import quantity
from energy.sites import Meter, Text


class ReadingWords(msgspec.Struct):
    """A value, `taken_at` in ISO 8601."""

    quantity: str
    value: float | None
    unit: str
    quality: str
    reason: str
    taken_at: str


class RequestWords(msgspec.Struct):
    """A request that was made; `error` where it failed."""

    table: str
    address: int
    count: int
    took_ms: float | None
    error: str | None


class MeterAnswer(msgspec.Struct):
    """What a meter said."""

    profile: str
    line: str
    unit: int
    readings: list[ReadingWords]
    requests: list[RequestWords]


async def read_meter(
    profile_name: str,
    address: str,
    unit: int,
    clock: Clock,
    *,
    quantities: tuple[str, ...] = (),
    ct: float = 1.0,
    pt: float = 1.0,
    timeout: float = 1.0,  # noqa: ASYNC109 - the timeout of the line
) -> MeterAnswer:
    """Read all of a profile, or the named quantities; a request that fails is told, the others are made."""
    profile = load_profile(profile_name)
    meter = Meter(
        "meter", Text("", ""), profile.medium, unit=unit, ct=ct, pt=pt, quantities=quantities or profile.quantities
    )
    answer = MeterAnswer(profile.id, address, unit, [], [])
    async with open_line(address, now=clock.now, timeout_s=timeout) as line:
        for plan in compile_meter(meter, profile, line.cost):
            await _ask(line, unit, plan, answer)
    return answer


async def _ask(line: Line, unit: int, plan: BlockPlan, answer: MeterAnswer) -> None:
    block = plan.block
    request = RequestWords(block.table, block.address, block.count, None, None)
    answer.requests.append(request)
    try:
        reply = await line.read(unit, block)
    except LineError as error:
        request.error = str(error)
        return
    request.took_ms = round(reply.took_s * 1000, 3)
    taken_at = reply.taken_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for found in plan.decode(reply.payload):
        answer.readings.append(
            ReadingWords(
                found.quantity,
                found.value,
                quantity(found.quantity).unit,
                found.quality.word,
                found.reason.value,
                taken_at,
            )
        )
