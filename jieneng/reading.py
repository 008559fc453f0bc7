"""One meter read once, for whoever stands before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from collectors.asked import Plan, ask
from collectors.decoder import BlockPlan
from collectors.dlt645.plan import ItemsAsked
from collectors.lines.address import parse_address
from collectors.lines.line import Line
from collectors.lines.opening import open_line
from collectors.makes import AddressedAsked, Make, compile_make, load_make, placing_faults
from energy.errors import ConfigurationError, LineError
from energy.ports import Clock
from energy.quantities import quantity
from energy.sites import Meter, Text
from jieneng.composition import load_installed


class ReadingWords(msgspec.Struct):
    """A value, `taken_at` in ISO 8601."""

    quantity: str
    value: float | None
    unit: str
    quality: str
    reason: str
    taken_at: str


class RequestWords(msgspec.Struct):
    """A request that was made; `error` where it failed.

    Of a meter that is asked by its address `table` is `item` or `record`, `address` its identifier, and `count` how
    many quantities it holds. `raw` is what was answered, in hexadecimal, where that is wanted: registers of two bytes.
    """

    table: str
    address: int
    count: int
    took_ms: float | None
    error: str | None
    raw: str | None = None


class MeterAnswer(msgspec.Struct):
    """What a meter said."""

    profile: str
    line: str
    unit: int
    readings: list[ReadingWords]
    requests: list[RequestWords]
    address: str | None = None


# What there is so far, and how much of all that is.
Told = Callable[[MeterAnswer, float], None]


async def read_meter(
    profile_name: str,
    line_address: str,
    unit: int,
    clock: Clock,
    *,
    address: str | None = None,
    quantities: tuple[str, ...] = (),
    ct: float = 1.0,
    pt: float = 1.0,
    timeout: float = 1.0,  # noqa: ASYNC109 - the timeout of the line
    raw: bool = False,
    told: Told = lambda answer, share: None,
) -> MeterAnswer:
    """Read all of a profile, or the named quantities; a request that fails is told, the others are made.

    address : the digits on the meter, where it is asked by them; ConfigurationError where they are not those of one.
    raw : whether the bytes of each answer are told, too. told : hears after each request what there is so far.
    """
    make = load_make(profile_name)
    meter = Meter(
        "meter",
        Text("", ""),
        make.medium,
        line="line",
        unit=unit,
        address=address,
        ct=ct,
        pt=pt,
        quantities=quantities or make.quantities,
    )
    wrong = [f"{key} {text}" for key, text in placing_faults(meter, make, parse_address(line_address))]
    if wrong:
        raise ConfigurationError(wrong)
    return await _read(meter, make, line_address, clock, timeout_s=timeout, raw=raw, told=told)


async def read_installed(
    site: Path,
    meter_id: str,
    clock: Clock,
    *,
    quantities: tuple[str, ...] = (),
    raw: bool = False,
    told: Told = lambda answer, share: None,
) -> MeterAnswer:
    """Read a meter as a site file has it: its line, its ratios, wired backwards or not."""
    installed = load_installed(site)
    meter = installed.site.meter(meter_id)
    line = next((line for line in installed.site.lines if line.id == meter.line), None)
    if line is None or meter.profile is None:
        raise ConfigurationError([f"meter {meter_id!r} hangs on no line: somebody else reads it"])
    lacking = [name for name in quantities if name not in meter.quantities]
    if lacking:
        raise ConfigurationError(
            [f"meter {meter_id!r} has no {', '.join(lacking)}; it has {', '.join(meter.quantities)}"]
        )
    make = installed.profiles[meter.profile]
    meter = replace(meter, quantities=quantities or meter.quantities)
    return await _read(meter, make, line.address, clock, timeout_s=line.timeout_s, raw=raw, told=told)


async def _read(
    meter: Meter, make: Make, line_address: str, clock: Clock, *, timeout_s: float, raw: bool, told: Told
) -> MeterAnswer:
    answer = MeterAnswer(make.id, line_address, meter.unit, [], [], meter.address)
    async with open_line(line_address, now=clock.now, timeout_s=timeout_s) as line:
        plans = compile_make(meter, make, line.cost, clock.now)
        for i, plan in enumerate(plans, 1):
            await _ask(line, meter.unit, plan, answer, raw=raw)
            told(answer, i / len(plans))
    return answer


def _request(asked: Plan) -> RequestWords:
    if isinstance(asked, BlockPlan):
        block = asked.block
        return RequestWords(block.table, block.address, block.count, None, None)
    assert isinstance(asked, AddressedAsked)
    table = "item" if isinstance(asked, ItemsAsked) else "record"
    return RequestWords(table, int.from_bytes(asked.identifier, "big"), len(asked.quantities), None, None)


async def _ask(line: Line, unit: int, plan: Plan, answer: MeterAnswer, *, raw: bool) -> None:
    request = _request(plan)
    answer.requests.append(request)
    try:
        reply = await ask(plan, line, unit)
    except LineError as error:
        request.error = str(error)
        return
    request.took_ms = round(reply.took_s * 1000, 3)
    request.raw = reply.payload.hex(" ", 2) if raw else None
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
