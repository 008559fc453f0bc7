"""Modbus TCP: how many reads a core makes, decoding included, and what a thousand connections cost."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from benchmarks.collecting.buses import now
from benchmarks.parts import free_port, process, until
from collectors.decoder import BlockPlan, compile_meter
from collectors.lines.line import Line
from collectors.lines.opening import open_line
from collectors.meter_profile import Part, Profile, Register, Table, WordOrder
from collectors.planner import Block, RequestCost
from energy.quantities import QUANTITIES, Medium
from energy.sites import Meter, Text

REGISTERS, CONNECTIONS, METERS = 100, 50, 1000
_FOR_S, _POLLED_S = 4.0, 8.0


def hundred_registers() -> BlockPlan:
    """A meter of fifty float32 in one block, as far as there are quantities; the rest of the block is read over."""
    names = [n for n in QUANTITIES if n.startswith(("voltage", "current", "active", "reactive", "apparent", "power"))]
    addresses = [2 * i for i in range(len(names[:49]))] + [REGISTERS - 2]
    registers = tuple(
        Register(name, (Part(Table.HOLDING, a, "float32", WordOrder.ABCD, Fraction(1)),))
        for name, a in zip(names, addresses, strict=False)
    )
    registers += (Register("frequency", (Part(Table.HOLDING, REGISTERS - 2, "float32", WordOrder.ABCD, Fraction(1)),)),)
    profile = Profile("bench", "Bench", "Hundred", Medium.ELECTRICITY, ("made",), (), 125, registers)
    (plan,) = compile_meter(Meter("m", Text("表", "Meter"), Medium.ELECTRICITY), profile, RequestCost.tcp())
    assert plan.block.count == REGISTERS
    return plan


@contextmanager
def raw_server() -> Iterator[str]:
    """The address of a server that is a process of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name:
        command = [sys.executable, "-m", "benchmarks.collecting.raw_server", str(port)]
        with process(command, Path(name) / "raw.log"):
            until(lambda: _answers(port), "the raw server")
            yield f"tcp://127.0.0.1:{port}"


def _answers(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def reads_per_s_per_core(*, decoded: bool) -> tuple[float, int]:
    """Reads of 100 registers per second of this process's processor time; and how many values each gave."""
    plan = hundred_registers() if decoded else BlockPlan(Block(Table.HOLDING, 0, REGISTERS), lambda _: (), ())
    with raw_server() as address:
        lines = [open_line(address, now=now) for _ in range(CONNECTIONS)]
        for line in lines:
            await _read(line, plan)
        began_cpu, until_ = time.process_time(), time.perf_counter() + _FOR_S
        counts = await asyncio.gather(*(_read_until(line, plan, until_) for line in lines))
        used_s = time.process_time() - began_cpu
        for line in lines:
            await line.close()
    return sum(counts) / used_s, len(plan.quantities)


async def _read(line: Line, plan: BlockPlan) -> None:
    reply = await line.read(1, plan.block)
    found = plan.values(reply.payload)
    assert not plan.quantities or found.values[plan.quantities[-1]] == 220.5


async def _read_until(line: Line, plan: BlockPlan, until_: float) -> int:
    count = 0
    while time.perf_counter() < until_:
        await _read(line, plan)
        count += 1
    return count


async def thousand_meters_cores() -> tuple[float, int]:
    """Cores that a thousand meters on a thousand connections use, each read each second; and the reads that failed."""
    plan = hundred_registers()
    with raw_server() as address:
        lines = [open_line(address, now=now) for _ in range(METERS)]
        await asyncio.gather(*(_read(line, plan) for line in lines))
        began, began_cpu = time.perf_counter(), _cpu_s()
        failed = sum(
            await asyncio.gather(
                *(_poll(line, plan, began + i / METERS, began + _POLLED_S) for i, line in enumerate(lines))
            )
        )
        cores = (_cpu_s() - began_cpu) / (time.perf_counter() - began)
        for line in lines:
            await line.close()
    return cores, failed


async def _poll(line: Line, plan: BlockPlan, at: float, until_: float) -> int:
    """Each second at its own moment; how many seconds were missed."""
    missed = 0
    while at < until_:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        await _read(line, plan)
        missed += time.perf_counter() > at + 1.0
        at += 1.0
    return missed


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system
