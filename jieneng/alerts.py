"""Alarms from the command line: the channels that the settings name, and what the records hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.channel_files import LOG_ONLY, Channels, read_channels
from adapters.clocks import SystemClock
from energy.sites import Site, Text
from gateway.alerts.alerts import Alerts
from gateway.alerts.opening import open_alerts
from gateway.sites.records import SiteRecords
from jieneng.records import kept, the_site
from jieneng.settings import Settings


def alarm_channels(settings: Settings) -> Channels:
    """The channels of the file that the settings name; the log alone where they name none."""
    if settings.channels is not None:
        return read_channels(settings.channels)
    return Channels(LOG_ONLY.words.model_copy(update={"public": f"http://{settings.listen}"}))


@asynccontextmanager
async def kept_alerts(settings: Settings, channels: Channels | None = None) -> AsyncIterator[tuple[Alerts, Site]]:
    """The alarms of the records, and their site; channels of a roster are checked where they are given."""
    async with kept(settings) as records:
        sites = SiteRecords(records, SystemClock())
        site = await the_site(sites, None) if await sites.ids() else Site("none", Text("", ""), "Asia/Shanghai")
        kinds = None if channels is None else {one.id: one.kind for one in channels.words.channels}
        yield open_alerts(records, SystemClock(), lambda: site, bytes(32), channels=kinds), site
