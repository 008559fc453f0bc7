"""What the demo does while one watches: a pipe bursts, and the terminal says whom that rang."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from adapters.clocks import SystemClock
from energy.errors import EnergyError, StoreError
from energy.readings import to_ms
from gateway.alerts.words import AlarmMessageWords, MessagesAnswer
from jieneng.demo import Demo
from jieneng.running import asked
from jieneng.settings import Settings

_LOOK_EVERY_S, _PATIENCE_S = 2.0, 900.0


@dataclass
class Watching:
    """Lets the leak begin some minutes after `begin`, and tells of the message that it makes; 0 minutes: never."""

    settings: Settings
    demo: Demo
    leak_after_min: float
    stop: threading.Event
    say: Callable[[str], None]
    _thread: threading.Thread | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._thread is not None:
            self.stop.set()
            self._thread.join()

    def begin(self) -> None:
        """Count from now on; what leaked when the demo was stopped is mended."""
        self.demo.fleet.faults.switch_off(self.demo.story.leak, SystemClock().now())
        if self.leak_after_min > 0:
            self._thread = threading.Thread(target=self._run, name="leak", daemon=True)
            self._thread.start()

    def sights(self) -> str:
        """The address, and what to look at, in both languages."""
        address = f"http://{self.settings.listen}"
        lines = [f"\n  {address}\n\n看什么 / What to look at"]
        for sight in self.demo.story.sights:
            lines.append(f"  {address}/{sight.page:14} {sight.zh} / {sight.en}")
        if self.leak_after_min > 0:
            minutes = f"{self.leak_after_min:g}"
            lines.append(f"{minutes} 分钟后水管爆裂 / in {minutes} min the pipe bursts (--leak-after)")
        return "\n".join(lines)

    def _run(self) -> None:
        if self.stop.wait(self.leak_after_min * 60):
            return
        name, now = self.demo.story.leak, SystemClock().now()
        self.demo.fleet.faults.switch_on(name, now)
        fault = self.demo.fleet.faults.faults[name]
        self.say(f"\n{now.astimezone(self.demo.fleet.site.zone_info):%H:%M:%S} {fault.name.zh} / {fault.name.en}")
        message = self._message(to_ms(now))
        if message is not None:
            self.say(f"{message.title} → {message.person}: {message.link}")

    def _message(self, since_ms: int) -> AlarmMessageWords | None:
        """The first message of an alarm since an instant; None where none comes, or one must sign in to see it."""
        if self.settings.accounts != "off":
            return None
        for _ in range(round(_PATIENCE_S / _LOOK_EVERY_S)):
            if self.stop.wait(_LOOK_EVERY_S):
                return None
            try:
                locked = StoreError("the gateway is not there")
                told = asked(self.settings, "/api/v1/alarm-messages", {"limit": 20}, MessagesAnswer, locked)
            except EnergyError:
                # It may just be starting again.
                continue
            new = [m for m in told.messages if m.link and m.made >= since_ms and self._is_of_leak(m)]
            if new:
                return min(new, key=lambda m: m.id)
        return None

    def _is_of_leak(self, message: AlarmMessageWords) -> bool:
        """Other meters ring, too."""
        fleet = self.demo.fleet
        meter = next(m for m in fleet.site.meters if m.id == fleet.faults.faults[self.demo.story.leak].meter)
        return meter.name.zh in message.title or meter.name.en in message.title
