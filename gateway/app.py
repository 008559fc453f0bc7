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
from gateway.process.hearing import HeardBus
from gateway.process.ingest import ingest_role
from gateway.process.jobs import JobsRole
from gateway.process.parts import Parts, open_parts
from gateway.process.problems import Watch
from gateway.process.role import Role
from gateway.process.routes import ROUTES
from gateway.process.settings import GatewaySettings
from gateway.process.several import Several

__all__ = ["ROUTES", "GatewaySettings", "application", "run_gateway"]

log = structlog.get_logger()

# So long the broker keeps for one of several what comes while it is away [s]; then its share goes to the others.
_SESSION_S = 60


async def run_gateway(settings: GatewaySettings, clock: Clock) -> None:
    """Serve until cancelled."""
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(open_parts(settings, clock))
        roles = await _roles_of(parts)
        bus = await _bus_of(roles, parts, stack)
        following = Following(parts.records, clock, settings.site, parts.followers)
        await following.begin(parts.started.behind)
        watch = Watch(bus, following, [role.problems for role in roles], clock)
        parts.processes.own, parts.present.of_gateway = watch.problems, parts.processes.problems
        taken = bus if settings.is_alone else HeardBus(bus, parts)
        tasks = [task for role in roles for task in await role.begin(taken, stack)]
        address = f"http://{settings.host}:{settings.port}"
        log.info("gateway.started", address=address, store=settings.store, **_among(settings))
        async with asyncio.TaskGroup() as group:
            for task in (*tasks, following.run):
                group.create_task(task())


def _among(settings: GatewaySettings) -> dict[str, str]:
    """Which of several it is."""
    return {} if settings.is_alone else {"process": settings.name, "roles": ",".join(settings.roles)}


async def _roles_of(parts: Parts) -> list[Role]:
    """Those of the process. Every one answers over HTTP, how it is if nothing else."""
    named = parts.settings.roles
    roles: list[Role] = [] if parts.settings.is_alone else [Several(parts)]
    if "ingest" in named:
        roles.append(await ingest_role(parts))
    if "jobs" in named:
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
            session_s=None if parts.settings.is_alone else _SESSION_S,
            connected=connected,
        )
    )
    parts.edges.reachable = lambda: bus.lost_since is None
    return bus
