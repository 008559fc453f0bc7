"""How the edge is, for who asks it by HTTP: /health in words, /metrics for Prometheus.

It tells no readings and takes nothing. Nobody is asked who he is, so it listens on this machine alone unless told
otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import structlog

from adapters.edge_troubles import Trouble, troubles
from adapters.wire import EdgeState
from edge.figures import Uplink, figures, process_registry
from energy.errors import EnergyError
from energy.sites import Text

if TYPE_CHECKING:
    from aiohttp import web

log = structlog.get_logger()

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Asked:
    """Where what is told comes from, at the moment somebody asks."""

    edge: str
    state: Callable[[], EdgeState]
    uplink: Callable[[], Uplink]
    behind_s: Callable[[], Mapping[str, float]]


@asynccontextmanager
async def told_on(address: tuple[str, int] | None, asked: Asked) -> AsyncIterator[None]:
    """Answer on host and port while it is open; nowhere where there is no address. EnergyError where it is taken."""
    if address is None:
        yield
        return
    # It takes a while to import, and most edges are not asked.
    from aiohttp import web

    runner = web.AppRunner(application(asked), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    host, port = address
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise EnergyError(
                f"{host}:{port} cannot be listened on: {error.strerror}; choose another with --listen-health"
            ) from error
        if host not in _LOOPBACK:
            log.warning("edge.open", host=host, meaning="whoever reaches it is told which meters there are, not what")
        yield
    finally:
        await runner.cleanup()


def application(asked: Asked) -> web.Application:
    from aiohttp import web

    process = process_registry()

    async def health(_request: web.Request) -> web.Response:
        return web.Response(body=_health(asked), content_type="application/json", charset="utf-8")

    async def metrics(_request: web.Request) -> web.Response:
        said, uplink = asked.state(), asked.uplink()
        told = figures(said, uplink, asked.behind_s(), wrong(asked.edge, said, uplink), process)
        return web.Response(body=told, headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application(client_max_size=1024)
    app.add_routes([web.get("/health", health), web.get("/metrics", metrics)])
    return app


def _health(asked: Asked) -> bytes:
    """In the words of the gateway's /health."""
    said, uplink = asked.state(), asked.uplink()
    problems = [
        {
            "kind": one.kind,
            "subject": one.subject,
            "since": one.since_ms or said.since,
            "text": {"zh": one.text.zh, "en": one.text.en},
        }
        for one in wrong(asked.edge, said, uplink)
    ]
    told = {
        "status": "degraded" if problems else "ok",
        "edge": asked.edge,
        "version": said.version,
        "since": said.since,
        "site_file": said.site.version if said.site is not None else None,
        "meters": len(said.meters),
        "problems": problems,
    }
    return msgspec.json.encode(told)


def wrong(edge: str, said: EdgeState, uplink: Uplink) -> Iterator[Trouble]:
    """What is wrong as seen from here: with the way to the gateway, with the edge, with its meters."""
    now_ms = said.told_at or 0
    if uplink.lost_for_s is not None:
        yield _without_broker(edge, uplink, now_ms - int(1000 * uplink.lost_for_s))
    elif uplink.silent_for_s is not None:
        zh = f"网关不应答，采集端 {edge} 的读数暂存在本地"
        en = f"The gateway does not answer; the readings of edge {edge} wait here"
        yield Trouble("gateway.silent", edge, Text(zh, en), now_ms - int(1000 * uplink.silent_for_s))
    if said.clock is not None and said.clock.synchronized is False:
        zh = f"采集端 {edge} 的时钟自开机后未对时，读数暂存在本地，请检查 NTP"
        en = f"The clock of edge {edge} has not been set since its machine woke; readings wait here. See NTP"
        yield Trouble("edge.clock_unset", edge, Text(zh, en))
    yield from troubles(edge, said)
    for meter, found in said.meters.items():
        if found.state == "silent":
            zh = f"计量点 {meter} 不应答，读数缺失：{found.detail}"
            en = f"Meter {meter} does not answer; its readings are missing: {found.detail}"
            yield Trouble("meter.silent", meter, Text(zh, en), found.since)


def _without_broker(edge: str, uplink: Uplink, since_ms: int) -> Trouble:
    if uplink.refused is not None:
        zh = f"消息代理拒绝采集端 {edge} 登录，读数暂存在本地：{uplink.refused}"
        en = f"The broker does not let edge {edge} in; its readings wait here: {uplink.refused}"
        return Trouble("broker.refused", edge, Text(zh, en), since_ms)
    zh = f"采集端 {edge} 连不上消息代理，读数暂存在本地"
    en = f"Edge {edge} has no broker; its readings wait here"
    return Trouble("broker.unreachable", edge, Text(zh, en), since_ms)
