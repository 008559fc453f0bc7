"""Who looks at a curve while the past is brought after an outage misses none of it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.conftest import at_length
from tests.chaos.installation import Installation, installed
from tests.chaos.meters import QUANTITIES, journal
from tests.journeys.campus import get

pytestmark = [at_length, pytest.mark.timeout(400)]
_FAR_FUTURE = 4_000_000_000_000


class _Listener:
    """A page: a WebSocket on all points, and when it was broken off."""

    def __init__(self, port: int, points: list[str]) -> None:
        self._address, self._points = f"http://127.0.0.1:{port}/api/v1/live", points
        self.heard: list[tuple[str, int, float]] = []
        self.ended: int | None = None
        self.listens = asyncio.Event()

    async def run(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self._address) as socket:
            await socket.send_json({"subscribe": self._points, "overview": False})
            self.listens.set()
            async for message in socket:
                told: dict[str, Any] = json.loads(message.data)
                if told["type"] == "readings":
                    self.heard += [(point, t, value) for point, t, value, _ in told["readings"]]
            self.ended = socket.close_code


async def test_the_past_comes_into_the_live_curves_without_a_hole(tmp_path: Path) -> None:
    with installed(tmp_path) as installation:
        meters = sorted({each.meter for each in journal(installation.journal)})
        points = [f"{meter}:{QUANTITIES[0]}" for meter in meters]
        listener = _Listener(installation.port, points)
        listening = asyncio.create_task(listener.run())
        await asyncio.wait_for(listener.listens.wait(), 30)
        from_ms = int(time.time() * 1000)
        await asyncio.to_thread(installation.await_readings, 100)
        installation.cable.cut()
        await asyncio.to_thread(installation.await_readings, 800)
        installation.cable.mend()
        await asyncio.to_thread(installation.settle)
        # What is stored is told at once, and the last of it is under way.
        await asyncio.sleep(1)
        curves = await asyncio.to_thread(_curves, installation, points, from_ms)
        assert not listening.done()
        listening.cancel()
        verdict = await asyncio.to_thread(installation.verdict)

    heard = {(p, t): value for p, t, value in listener.heard if t >= from_ms}
    assert listener.ended is None
    # A batch that came twice may be told twice; it says the same.
    assert all(heard[p, t] == value for p, t, value in listener.heard if t >= from_ms)
    assert heard == curves and len(curves) > 800
    numbers = sorted(round(value * 1000) for (point, _), value in curves.items() if point == points[0])
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert (verdict.lost, verdict.double, verdict.unrecorded) == ([], [], 0)


def _curves(installation: Installation, points: list[str], from_ms: int) -> dict[tuple[str, int], float]:
    """What the gateway draws: every reading, since they are few."""
    asked = "&".join(f"point={point}" for point in points)
    answer = get(installation.port, f"/api/v1/series?{asked}&from={from_ms}&to={_FAR_FUTURE}&points=10000")
    return {
        (series["point"], t): value
        for series in answer["series"]
        for t, value in zip(series["t"], series["last"], strict=True)
        if value is not None
    }
