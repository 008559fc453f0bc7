"""Rules and roster kept fresh for people who acknowledge and close, in a process where no desk may be that does so."""

from __future__ import annotations

import asyncio

import structlog

from energy.errors import ConfigurationError, StoreError
from gateway.alerts.alerts import Alerts

log = structlog.get_logger()

_LOOK_EVERY_S = 5.0


async def keep_fresh(alerts: Alerts) -> None:
    """For ever; what fails is told once, and tried again."""
    failing = False
    while True:
        try:
            await take_newest(alerts)
            failing = False
        except (StoreError, ConfigurationError) as error:
            if not failing:
                log.error("rules.unread", cause=str(error))
            failing = True
        await asyncio.sleep(_LOOK_EVERY_S)


async def take_newest(alerts: Alerts) -> None:
    """Take over rules and roster as the records have them."""
    alerts.alarms.roster = (await alerts.duty.roster()).roster
    _, alerts.alarms.book = await alerts.rules.book()
