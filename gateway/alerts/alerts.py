"""Everything about alarms that routes work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.alerts.links import Links
from gateway.alerts.outbox import Outbox
from gateway.alerts.rules import Rules
from gateway.alerts.service import Alarms
from gateway.duty.service import Duty


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alarms, the rules and the roster that make and route them, and what was sent. `channels`: kind by id."""

    alarms: Alarms
    rules: Rules
    duty: Duty
    outbox: Outbox
    links: Links
    channels: Mapping[str, str] = field(default_factory=dict)
