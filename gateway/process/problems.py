"""What is wrong with a gateway process itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from adapters.mqtt_bus import MqttBus
from energy.ports import Clock
from energy.readings import to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.following import Following


class Watch:
    """Of its broker, of its site file, and of its roles."""

    def __init__(
        self, bus: MqttBus, following: Following, others: Sequence[Callable[[], Iterable[OngoingProblem]]], clock: Clock
    ) -> None:
        self._bus, self._following, self._others, self._clock = bus, following, others, clock
        self._since = to_ms(clock.now())

    def problems(self) -> list[OngoingProblem]:
        return [*self._of_broker(), *self._of_file(), *chain.from_iterable(of() for of in self._others)]

    def _of_broker(self) -> Iterator[OngoingProblem]:
        if self._bus.lost_since is None:
            return
        since = to_ms(self._clock.now()) - int((time.monotonic() - self._bus.lost_since) * 1000)
        if self._bus.refused is not None:
            zh = f"消息代理 {self._bus.address} 拒绝网关登录，新读数暂存在现场采集端：{self._bus.refused}"
            en = (
                f"The broker {self._bus.address} does not let the gateway in; new readings wait at the edges: "
                f"{self._bus.refused}"
            )
            yield OngoingProblem("broker.refused", str(self._bus.address), since, TextWords(zh, en))
        else:
            zh = f"消息代理 {self._bus.address} 无法连接，新读数暂存在现场采集端"
            en = f"The broker {self._bus.address} cannot be reached; new readings wait at the edges"
            yield OngoingProblem("broker.unreachable", str(self._bus.address), since, TextWords(zh, en))

    def _of_file(self) -> Iterator[OngoingProblem]:
        if n := self._following.file_behind:
            zh = f"站点文件与档案有 {n} 处不同，以档案为准；用 jieneng site import 查看差异后导入，或导出档案替换该文件"
            en = (
                f"The site file says otherwise than the records in {n} places; the records hold. "
                "See the difference with jieneng site import, or replace the file by an export"
            )
            yield OngoingProblem("site.file_behind", self._following.site.id, self._since, TextWords(zh, en))
