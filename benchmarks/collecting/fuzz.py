"""Frames by chance and mutated ones: against the pure judges, and through a real line to a bus that misbehaves.

A wrong value is one that is handed out as an answer although the frame that bore it was none. A mutation may by chance
make another frame that is right to the last bit, checksum included; no receiver of the protocol could tell, so these
are found by the simulator's own arithmetic and counted by themselves.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import Counter
from contextlib import ExitStack

from benchmarks.collecting.buses import Bus, bus, ours
from collectors.lines.modbus_rtu import RtuRead
from collectors.lines.question import Answered, Declined
from collectors.meter_profile import Table
from collectors.planner import Block
from collectors.simulators.bus.contents import telling
from collectors.simulators.bus.modbus_slave import crc16
from energy.errors import LineError

CASES, BUSES, READS, SEED = 120_000, 8, 300, 645
UNITS = "1-4"
# One at a time: a meter that breaks its answer and in the same breath says a whole one of another content lies, and no
# receiver could tell.
DEEDS = (
    "silent",
    "late:by=200ms",
    "slow:by=15ms",
    "garble:bytes=1",
    "garble:bytes=4",
    "cut:bytes=3",
    "short",
    "long",
    "wrong_unit",
    "wrong_function",
    "glued",
    "dribble:gap=1ms",
    "noise:bytes=3",
    "noise:bytes=20,by=2ms",
    "exception:code=6",
    "exception:code=11",
)
# So many requests to a meter from one to the next.
_APART = 4


def judged() -> Counter[str]:
    """cases, wrong, forged (right frames by chance), raised."""
    chance = random.Random(SEED)
    found: Counter[str] = Counter(cases=CASES, wrong=0, forged=0, raised=0)
    for i in range(CASES):
        unit, block = chance.randint(1, 247), Block(chance.choice(list(Table)), chance.randrange(60000), _count(chance))
        question = RtuRead(unit, block)
        payload = chance.randbytes(2 * block.count)
        frame = bytes((unit, block.table.function, len(payload))) + payload
        frame += crc16(frame)
        received = chance.randbytes(chance.randint(1, 300)) if i % 3 == 0 else mutated(frame, chance)
        try:
            verdict = question.judge(received)
        except Exception:  # noqa: BLE001 - that is what is looked for
            found["raised"] += 1
            continue
        if isinstance(verdict, Answered) and verdict.payload != payload:
            found["forged" if _stands_in(received, unit, block, verdict.payload) else "wrong"] += 1
        if isinstance(verdict, Declined) and not 0 <= verdict.code <= 255:
            found["wrong"] += 1
    return found


def _count(chance: random.Random) -> int:
    return chance.choice((1, 1, 2, 2, 4, 10, 20, 40, 125))


def mutated(frame: bytes, chance: random.Random) -> bytes:
    """The frame with one to three things done to it."""
    made = bytearray(frame)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(6):
            case 0:
                made[at:at] = chance.randbytes(chance.randint(1, 4))
            case 1:
                del made[at : at + chance.randint(1, 4)]
            case 2 if made:
                made[at % len(made)] ^= 1 << chance.randrange(8)
            case 3 if made:
                made[at % len(made)] = chance.randrange(256)
            case 4:
                made[at:at] = made[: chance.randint(1, len(made) + 1)]
            case _:
                made = made[at:] + made[:at]
    return bytes(made)


def _stands_in(received: bytes, unit: int, block: Block, payload: bytes) -> bool:
    """Whether this payload came in a frame that is right to the last bit."""
    frame = bytes((unit, block.table.function, len(payload))) + payload
    return frame + crc16(frame) in received


async def through_lines() -> tuple[Counter[str], float]:
    """Reads over several buses of four meters that do all of it; how they ended, and the longest that one took [s]."""
    found: Counter[str] = Counter(reads=BUSES * READS, good=0, failed=0, wrong=0, raised=0)
    with ExitStack() as stack:
        options = ("--latency", "1ms", "--jitter", "2ms", "--seed")
        buses = [
            stack.enter_context(bus(*options, str(i), units=UNITS, deeds=_one_after_another(i), baud=115200))
            for i in range(BUSES)
        ]
        longest = await asyncio.gather(
            *(_through(made, random.Random(SEED + i), found) for i, made in enumerate(buses))
        )
        found["kinds"] = len({kind for made in buses for one in made.served() for kind in one["did"]})
    return found, max(longest)


def _one_after_another(seed: int) -> list[str]:
    """All of them, each once per meter, in an order by chance."""
    deeds = random.Random(seed).sample(DEEDS, len(DEEDS))
    return [f"{deed}{',' if ':' in deed else ':'}times=1,after={_APART * (i + 1)}" for i, deed in enumerate(deeds)]


async def _through(made: Bus, chance: random.Random, found: Counter[str]) -> float:
    longest_s = 0.0
    async with ours(made, timeout_s=0.1) as line:
        for _ in range(READS):
            unit, block = chance.randint(1, 4), Block(chance.choice(list(Table)), chance.randrange(900), 4)
            began = time.perf_counter()
            try:
                payload = (await line.read(unit, block)).payload
            except LineError:
                found["failed"] += 1
            except Exception:  # noqa: BLE001 - that is what is looked for
                found["raised"] += 1
            else:
                expected = [telling(unit, block.table, block.address + i) for i in range(block.count)]
                found["good" if payload == struct.pack(">4H", *expected) else "wrong"] += 1
            longest_s = max(longest_s, time.perf_counter() - began)
    return longest_s
