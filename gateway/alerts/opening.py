"""How alarms are put together at the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Site
from gateway.alerts.alerts import Alerts
from gateway.alerts.links import Links
from gateway.alerts.outbox import Outbox
from gateway.alerts.rules import Rules
from gateway.alerts.service import Alarms
from gateway.duty.service import Duty
from gateway.records.database import Records


def open_alerts(
    records: Records,
    clock: Clock,
    site: Callable[[], Site],
    key: bytes,
    *,
    channels: Mapping[str, str] | None = None,
    public: str | None = None,
    link_holds_s: float = 86_400.0,
) -> Alerts:
    """Alarms over these records; `channels` are kinds by id, None where they are not known here."""
    outbox = Outbox(records, clock, site)
    alarms, rules = Alarms(records, clock, outbox, site), Rules(records, clock, site)
    duty = Duty(records, clock, site, None if channels is None else list(channels))
    links = Links(key, public, link_holds_s, lambda: to_ms(clock.now()) // 1000)
    return Alerts(alarms, rules, duty, outbox, links, channels or {})
