"""A gateway process as a whole: parts, roles, bus, tasks (`gateway/process`)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import chain

import structlog

from adapters.mqtt_bus import MqttBus, open_bus
from energy.ports import Clock
from gateway.following import Following
from gateway.process.api import ApiRole
from gateway.process.application import application
from gateway.process.ingest import ingest_role
from gateway.process.jobs import JobsRole
from gateway.process.parts import Parts, open_parts
from gateway.process.problems import Watch
from gateway.process.role import Role
from gateway.process.routes import ROUTES
from gateway.process.settings import GatewaySettings

__all__ = ["ROUTES", "GatewaySettings", "application", "run_gateway"]

log = structlog.get_logger()


async def run_gateway(settings: GatewaySettings, clock: Clock) -> None:
    """Serve until cancelled."""
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(open_parts(settings, clock))
        roles = await _roles_of(parts)
        bus = await _bus_of(roles, parts, stack)
        following = Following(parts.records, clock, settings.site, parts.followers)
        await following.begin(parts.started.behind)
        parts.present.of_gateway = Watch(bus, following, [role.problems for role in roles], clock).problems
        tasks = [task for role in roles for task in await role.begin(bus, stack)]
        log.info("gateway.started", address=f"http://{settings.host}:{settings.port}", store=settings.store)
        async with asyncio.TaskGroup() as group:
            for task in (*tasks, following.run):
                group.create_task(task())


async def _roles_of(parts: Parts) -> list[Role]:
    """Those of the process. Every one answers over HTTP, how it is if nothing else."""
    roles: list[Role] = []
    if "ingest" in parts.settings.roles:
        roles.append(await ingest_role(parts))
    if "jobs" in parts.settings.roles:
        roles.append(JobsRole(parts))
    return [*roles, ApiRole(parts)]


async def _bus_of(roles: list[Role], parts: Parts, stack: AsyncExitStack) -> MqttBus:
    """The bus, with what the roles subscribe."""

    def connected() -> None:
        for role in roles:
            role.connected()

    bus = await stack.enter_async_context(
        open_bus(
            parts.settings.bus,
            parts.settings.client,
            subscribe=list(dict.fromkeys(chain.from_iterable(role.subscriptions for role in roles))),
            will=next((role.will for role in roles if role.will is not None), None),
            keep_session=True,
            connected=connected,
        )
    )
    parts.edges.reachable = lambda: bus.lost_since is None
    return bus
