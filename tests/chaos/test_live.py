"""Who looks at a curve while the past is brought after an outage misses none of it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.installation import installed
from tests.chaos.killing import at_length
from tests.chaos.meters import QUANTITIES, journal

pytestmark = [at_length, pytest.mark.timeout(1200)]
_FAR_FUTURE = 4_000_000_000_000


class _Page:
    """Curves as a page draws them: what is pushed is added, and they are asked for anew where the past has changed."""

    def __init__(self, port: int, points: list[str]) -> None:
        self._address, self._points = f"http://127.0.0.1:{port}/api/v1", points
        self._from_ms = int(time.time() * 1000)
        self.drawn: dict[tuple[str, int], float] = {}
        self.pushed: dict[tuple[str, int], float] = {}
        self.backfilled = 0
        self.listens = asyncio.Event()

    async def run(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{self._address}/live") as socket:
            await socket.send_json({"subscribe": self._points, "overview": False})
            self.listens.set()
            async for message in socket:
                told: dict[str, Any] = json.loads(message.data)
                if told["type"] == "readings":
                    new = {(point, t): value for point, t, value, _ in told["readings"] if t >= self._from_ms}
                    self.pushed |= new
                    self.drawn |= new
                elif told["type"] == "backfilled":
                    self.backfilled += 1
                    self.drawn |= await self.asked(session)
            raise AssertionError(f"the gateway broke off: {socket.close_code}")

    async def asked(self, session: aiohttp.ClientSession) -> dict[tuple[str, int], float]:
        """What the gateway draws: every reading, since they are few."""
        points = "&".join(f"point={point}" for point in self._points)
        asked = f"{self._address}/series?{points}&from={self._from_ms}&to={_FAR_FUTURE}&points=10000"
        async with session.get(asked) as answer:
            series = (await answer.json())["series"]
        return {
            (one["point"], t): value
            for one in series
            for t, value in zip(one["t"], one["last"], strict=True)
            if value is not None
        }


async def test_the_past_comes_into_the_live_curves_without_a_hole(tmp_path: Path) -> None:
    with installed(tmp_path) as installation:
        meters = sorted({each.meter for each in journal(installation.journal)})
        page = _Page(installation.port, [f"{meter}:{QUANTITIES[0]}" for meter in meters])
        looking = asyncio.create_task(page.run())
        await asyncio.wait_for(page.listens.wait(), 120)
        await asyncio.to_thread(installation.await_readings, 100)
        installation.cable.cut()
        await asyncio.to_thread(installation.await_readings, 800)
        installation.cable.mend()
        await asyncio.to_thread(installation.settle)
        async with aiohttp.ClientSession() as session:
            curves = await page.asked(session)
            async with asyncio.timeout(120):
                # What is stored is told within seconds.
                while page.drawn != curves and not looking.done():
                    await asyncio.sleep(0.1)
        assert not looking.done(), looking
        looking.cancel()
        verdict = await asyncio.to_thread(installation.verdict)

    assert verdict.faults == {} and verdict.unrecorded == 0
    assert page.backfilled > 0 and page.pushed
    # From the first drawn instant on, every reading that was taken is drawn.
    first = min(t for _, t in curves)
    taken = {(f"{r.meter}:{QUANTITIES[0]}", r.at_ms) for r in installation.all_taken if r.at_ms >= first}
    assert set(curves) == taken and len(taken) > 800
