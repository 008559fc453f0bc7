"""What an edge tells whoever asks it at its own machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from adapters.clocks import SystemClock
from adapters.edge_troubles import Trouble
from adapters.site_files import read_site
from adapters.wire import ClockState, EdgeState, LineState, MeterState, SiteState
from collectors.makes import load_make
from collectors.simulators.course import HOUR_MS
from collectors.simulators.fleet import Fleet
from collectors.simulators.recorded import Recording, recorded_course
from edge.app import EdgeSettings, run_edge
from edge.figures import Uplink, figures
from edge.telling import Asked, told_on, wrong
from energy.errors import EnergyError
from energy.readings import to_ms
from tests.docs.pages import ROOT
from tests.edge.test_edge_and_its_clock import SITE
from tests.real_parts import free_port
from tests.waiting import PATIENCE_S

NOW_MS = 1_800_000_000_000
WELL = EdgeState(
    "online",
    since=NOW_MS - 60_000,
    version="0.1.0",
    outbox_batches=0,
    outbox_bytes=4096,
    outbox_dropped=0,
    outbox_thinned=0,
    outbox_damaged=0,
    outbox_waiting=0,
    told_at=NOW_MS,
    clock=ClockState(synchronized=True),
    site=SiteState("7", NOW_MS),
    meters={"main": MeterState("reporting", NOW_MS), "hall": MeterState("unread", NOW_MS)},
    lines={"bus": LineState(0.25)},
)
ILL = msgspec.structs.replace(
    WELL,
    outbox_batches=12,
    oldest_at=NOW_MS - 3_600_000,
    outbox_failing="disk full",
    outbox_waiting=40,
    clock=ClockState(synchronized=False, stepped_at=NOW_MS - 5000, step_ms=-2500),
    site=SiteState("7", NOW_MS, refused="no meters", refused_version="8"),
    meters={"main": MeterState("silent", NOW_MS - 9000, "no answer"), "hall": MeterState("reporting", NOW_MS)},
    lines={"bus": LineState(1.5, late_ticks=30)},
)


def told(said: EdgeState, uplink: Uplink = Uplink()) -> dict[tuple[str, str], float]:  # noqa: B008  # frozen
    """Every sample by its name and the value of its only label."""
    text = figures(said, uplink, {"bus": 2.5}, wrong("north", said, uplink), CollectorRegistry()).decode()
    return {
        (one.name, next(iter(one.labels.values()), "")): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def kinds(troubles: list[Trouble]) -> list[str]:
    return [one.kind for one in troubles]


def test_prometheus_is_told_how_meters_lines_outbox_clock_and_the_way_to_the_gateway_are() -> None:
    found = told(ILL, Uplink(lost_for_s=70.0, unanswered=3, silent_for_s=65.0))

    assert (found["jieneng_meters", "silent"], found["jieneng_meters", "reporting"]) == (1, 1)
    assert found["jieneng_line_load", "bus"] == 1.5
    assert found["jieneng_line_late_ticks_total", "bus"] == 30
    assert found["jieneng_line_behind_seconds", "bus"] == 2.5
    assert found["jieneng_outbox_batches", ""] == 12
    assert found["jieneng_outbox_oldest_seconds", ""] == 3600
    assert (found["jieneng_outbox_failing", ""], found["jieneng_outbox_in_memory", ""]) == (1, 40)
    assert (found["jieneng_broker_connected", ""], found["jieneng_batches_unanswered", ""]) == (0, 3)
    assert found["jieneng_unanswered_seconds", ""] == 65
    assert (found["jieneng_clock_synchronized", ""], found["jieneng_clock_step_seconds", ""]) == (0, -2.5)
    assert (found["jieneng_site_file_info", "7"], found["jieneng_site_file_refused", ""]) == (1, 1)
    assert found["jieneng_problems", "meter.silent"] == 1


def test_what_is_not_known_has_no_value() -> None:
    found = told(EdgeState("online"))

    assert not {("jieneng_clock_synchronized", ""), ("jieneng_outbox_batches", "")} & found.keys()
    assert ("jieneng_outbox_oldest_seconds", "") not in found
    assert found["jieneng_meters", "reporting"] == 0


def test_an_edge_that_is_well_has_no_problem_and_one_that_is_ill_names_them_all() -> None:
    assert list(wrong("north", WELL, Uplink(unanswered=3))) == []
    assert kinds(list(wrong("north", ILL, Uplink()))) == [
        "edge.clock_unset", "edge.line_overloaded", "edge.site_refused", "edge.outbox_failing", "edge.lagging",
        "meter.silent",
    ]  # fmt: skip


def test_the_way_to_the_gateway_is_told_by_its_nearest_fault() -> None:
    def told_of(uplink: Uplink) -> tuple[str, int | None]:
        [one] = wrong("north", WELL, uplink)
        return one.kind, one.since_ms

    assert told_of(Uplink(lost_for_s=5.0, silent_for_s=60.0)) == ("broker.unreachable", NOW_MS - 5000)
    assert told_of(Uplink(lost_for_s=5.0, refused="not authorised")) == ("broker.refused", NOW_MS - 5000)
    assert told_of(Uplink(silent_for_s=60.0)) == ("gateway.silent", NOW_MS - 60_000)


async def test_an_address_that_is_taken_is_told_with_what_to_do() -> None:
    asked = Asked("north", lambda: WELL, Uplink, dict)
    address = ("127.0.0.1", free_port())

    async with told_on(address, asked):
        with pytest.raises(EnergyError, match="--listen-health"):
            async with told_on(address, asked):
                pass


async def _answers(port: int, ready: Callable[[Any, str], bool]) -> tuple[Any, str]:
    """What /health and /metrics say, once they say what is waited for."""
    async with asyncio.timeout(PATIENCE_S), ClientSession(f"http://127.0.0.1:{port}") as session:
        while True:
            with suppress(OSError):
                async with session.get("/health") as health, session.get("/metrics") as metrics:
                    found = await health.json(), await metrics.text()
                if ready(*found):
                    return found
            await asyncio.sleep(0.05)


async def test_a_running_edge_without_a_broker_says_so_and_that_its_meter_answers(tmp_path: Path) -> None:
    file, port = tmp_path / "site.yaml", free_port()
    file.write_text(SITE.replace("PORT", str(free_port())), encoding="utf-8")
    site, _ = read_site(file)
    began = to_ms(datetime.now(UTC)) // HOUR_MS * HOUR_MS
    hours = np.array([began + i * HOUR_MS for i in range(-2, 4)], dtype=np.int64)
    plant = Recording({m.id: recorded_course(hours, np.full(6, 12.0), register=100.0) for m in site.meters})
    makes = {m.profile: load_make(m.profile) for m in site.meters if m.profile is not None}
    nowhere = f"mqtt://127.0.0.1:{free_port()}"
    settings = EdgeSettings("north", site, makes, nowhere, tmp_path / "north.sqlite", health=("127.0.0.1", port))
    async with Fleet(site, plant, now=lambda: datetime.now(UTC)):
        edge = asyncio.create_task(run_edge(settings, SystemClock()))
        try:
            health, metrics = await _answers(port, lambda _, told: 'jieneng_meters{state="reporting"} 1.0' in told)
        finally:
            edge.cancel()
            with suppress(asyncio.CancelledError):
                await edge

    assert (health["status"], health["edge"], health["meters"]) == ("degraded", "north", 1)
    assert "broker.unreachable" in [one["kind"] for one in health["problems"]]
    assert "jieneng_broker_connected 0.0" in metrics
    assert "process_resident_memory_bytes" in metrics


def test_every_figure_of_an_edge_is_told_on_the_page_and_none_that_is_not_there() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    text = figures(WELL, Uplink(), {}, (), CollectorRegistry()).decode()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE))

    table = page.partition("\n### An edge, asked at its own machine\n")[2].partition("\n### ")[0]
    assert set(re.findall(r"^\| `(\w+)", table, re.MULTILINE)) == types.keys() - {
        "jieneng_build_info",
        "jieneng_problems",
    }
