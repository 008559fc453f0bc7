"""What alarms need from files: the channels that the settings name, and the working calendar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from functools import cache

import numpy as np

from adapters.channel_files import LOG_ONLY, Channels, read_channels
from adapters.clocks import SystemClock
from energy.sites import Site, Text
from energy.working_days import WorkingDays
from gateway.alerts.alerts import Alerts
from gateway.alerts.opening import open_alerts
from gateway.sites.records import SiteRecords
from jieneng.campus import calendar
from jieneng.records import kept, the_site
from jieneng.settings import Settings


def alarm_channels(settings: Settings) -> Channels:
    """The channels of the file that the settings name; the log alone where they name none."""
    if settings.channels is not None:
        return read_channels(settings.channels)
    return Channels(LOG_ONLY.words.model_copy(update={"public": f"http://{settings.listen}"}))


@cache
def _calendar() -> WorkingDays:
    return calendar()


def is_worked(day: date) -> bool:
    """Whether a day is worked, by the calendar that is shipped."""
    return bool(_calendar().is_worked(np.array([day], "datetime64[D]"))[0])


@asynccontextmanager
async def kept_alerts(settings: Settings, channels: Channels | None = None) -> AsyncIterator[tuple[Alerts, Site]]:
    """The alarms of the records, and their site; channels of a roster are checked where they are given."""
    async with kept(settings) as records:
        sites = SiteRecords(records, SystemClock())
        site = await the_site(sites, None) if await sites.ids() else Site("none", Text("", ""), "Asia/Shanghai")
        kinds = None if channels is None else {one.id: one.kind for one in channels.words.channels}
        yield open_alerts(records, SystemClock(), lambda: site, bytes(32), channels=kinds), site
