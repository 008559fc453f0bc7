"""The collector on lines that misbehave, on busy buses and on the network, beside pymodbus's own client on the same.

`--peers` lets pymodbus sweep with its defaults over dead meters, too, which takes two minutes more. It asks through
pyserial (the extra `bench`); without it only ours is measured.
"""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.collecting import fuzz, late, network, peers, plans, sweep


def run(peers: bool = False) -> dict[str, Any]:
    """All figures."""
    figures = _late() | _sweeps() | _plans() | _network() | _fuzz()
    return figures | (_peers(long=peers))


def _late() -> dict[str, Any]:
    found = asyncio.run(late.ours_late())
    return {
        "late_reads": found.total(),
        "late_wrong_values": found["wrong"],
        "late_right_values": found["right"],
        "late_failed_reads": found["failed"],
    }


def _sweeps() -> dict[str, Any]:
    figures: dict[str, Any] = {"bound_s": round(sweep.bound_s(), 3)}
    for name, dead in sweep.DEAD.items():
        figures |= {f"sweep_{name}_{key}": value for key, value in asyncio.run(sweep.ours_sweeps(dead)).items()}
    return figures


def _plans() -> dict[str, Any]:
    return {"plan_cost_over_optimal": round(plans.cost_over_optimal(), 6), **plans.of_profiles()}


def _network() -> dict[str, Any]:
    per_core, values = asyncio.run(network.reads_per_s_per_core(decoded=True))
    undecoded, _ = asyncio.run(network.reads_per_s_per_core(decoded=False))
    cores, missed = asyncio.run(network.thousand_meters_cores())
    return {
        "tcp_reads_per_s_per_core": round(per_core),
        "tcp_reads_per_s_per_core_undecoded": round(undecoded),
        "tcp_values_per_read": values,
        "thousand_meters_cores": round(cores, 3),
        "thousand_meters_missed": missed,
    }


def _fuzz() -> dict[str, Any]:
    judged = fuzz.judged()
    line, longest_s = asyncio.run(fuzz.through_lines())
    return {
        "fuzz_cases": judged["cases"] + line["reads"],
        "fuzz_wrong_values": judged["wrong"] + line["wrong"],
        "fuzz_raised": judged["raised"] + line["raised"],
        "fuzz_right_by_chance": judged["forged"],
        "fuzz_line_reads": line["reads"],
        "fuzz_line_good": line["good"],
        "fuzz_line_failed": line["failed"],
        "fuzz_line_kinds": line["kinds"],
        "fuzz_line_longest_s": round(longest_s, 2),
    }


def _peers(*, long: bool) -> dict[str, Any]:
    if not peers.can_be_asked():
        return {"peers": "pyserial is not installed"}
    figures: dict[str, Any] = {}
    for retries in (0, 3):
        found = asyncio.run(peers.peer_late(retries=retries))
        figures |= {f"peer_late_wrong_values_retries_{retries}": max(c["wrong"] for c in found)}
    figures["peer_sweep_all_alive_s"] = round(asyncio.run(peers.peer_sweep_s(())), 2)
    if long:
        for name in ("one_dead", "three_dead"):
            figures[f"peer_sweep_{name}_s"] = round(asyncio.run(peers.peer_sweep_s(sweep.DEAD[name])), 1)
    return figures
