"""The log as a channel: for rehearsals and demonstrations, where what was sent is looked at on a page."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from energy.notices import Notice, Outcome, Receipt

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LogChannel:
    """Takes everything. The link, which lets whoever has it acknowledge, is not written to the log."""

    name: str
    personal: bool = True

    async def send(self, notice: Notice) -> Receipt:
        log.info("notice.logged", channel=self.name, notice=notice.id, title=notice.title)
        return Receipt(Outcome.SENT, "written to the log")
