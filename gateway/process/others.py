"""The other processes of the gateway, as far as they tell of themselves, and what is wrong with them all together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import structlog

from energy.ports import Clock
from energy.readings import to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.process.role_names import ROLES, RoleName
from gateway.process.words import ProcessState, ProcessStateWord, ProcessWords

log = structlog.get_logger()

Problems = Callable[[], list[OngoingProblem]]

# Told every few seconds: who says nothing for so long does not work any more, though its connection stands.
SILENT_AFTER_S = 30.0
# So long one that is gone is spoken of, and others that might come are waited for.
_FORGOTTEN_MS = 24 * 3_600_000
_PATIENCE_S = 20.0
# Only what comes to the broker as the gateway is heard; still no more than these.
_MOST = 1_000

_DOES: dict[RoleName, tuple[str, str]] = {
    "ingest": ("接收读数，新读数暂存在现场采集端", "takes readings: they wait at the edges"),
    "jobs": ("更新台账、发出告警", "keeps the ledger and rings alarms"),
    "api": ("提供页面和接口", "answers people"),
}

_decode = msgspec.json.Decoder(ProcessState).decode


@dataclass(slots=True)
class _Known:
    """A process as it was heard last; `at` by our steady clock, missed_ms by the wall's since when it is not well."""

    state: ProcessState
    at: float
    missed_ms: int | None = None


class Processes:
    """Takes what processes tell; of this one, `me`, it is told here."""

    def __init__(self, clock: Clock, me: str, *, alone: bool) -> None:
        self._clock, self.me, self._alone = clock, me, alone
        self._known: dict[str, _Known] = {}
        self.mine: ProcessState | None = None
        # What is wrong with this process.
        self.own: Problems = list
        self._twin_ms: int | None = None
        # Since when the broker is there, by the steady clock: while it is not, nothing follows from silence.
        self.reached_at: float | None = None
        self.reachable: Callable[[], bool] = lambda: True
        # When we heard ourselves last: a process whose messages wait, since its store refuses, is deaf, and no other
        # one silent.
        self._echoed = float("-inf")

    def take(self, process: str, payload: bytes) -> None:
        """Take a message; an empty one is a good-bye."""
        if not payload:
            self._known.pop(process, None)
            return
        try:
            state = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("process.unread", process=process, cause=str(error))
            return
        if process == self.me:
            self._take_mine(state)
        elif process in self._known or len(self._known) < _MOST:
            self._hear(process, state)

    def _take_mine(self, state: ProcessState) -> None:
        """Ourselves; or an earlier run, or another process that was given our name."""
        mine = self.mine
        if mine is not None and state.run == mine.run:
            self._echoed = time.monotonic()
        if mine is None or state.run == mine.run or state.state == "gone":
            return
        if state.told_at > mine.since and self._twin_ms is None:
            log.error("process.name_taken", process=self.me, listen=state.listen)
            self._twin_ms = to_ms(self._clock.now())

    def _hear(self, process: str, state: ProcessState) -> None:
        before = self._known.get(process)
        now_ms = to_ms(self._clock.now())
        if state.state == "gone":
            if before is None or before.state.state != "gone":
                log.warning("process.gone", process=process, roles=",".join(state.roles))
            missed = before.missed_ms if before is not None and before.missed_ms is not None else now_ms
            self._known[process] = _Known(state, time.monotonic(), missed)
            return
        if before is not None and before.state.state == "gone":
            log.info("process.back", process=process, after_s=(now_ms - (before.missed_ms or now_ms)) / 1000)
        self._known[process] = _Known(state, time.monotonic())

    # -- what is told ----------------------------------------------------------------------------------------------

    def all(self) -> list[ProcessWords]:
        """All processes by name; none where there is but one."""
        found = [self._words(process, known) for process, known in self._others()]
        if self.mine is not None:
            found.append(_words(self.me, self.mine, "running", self.mine.since, answers=True))
        return sorted(found, key=lambda one: one.process)

    def _others(self) -> Iterator[tuple[str, _Known]]:
        """Those that are there, or were a while ago."""
        now_ms = to_ms(self._clock.now())
        for process, known in self._known.items():
            if known.missed_ms is None or now_ms - known.missed_ms < _FORGOTTEN_MS:
                yield process, known

    def forgotten(self) -> list[str]:
        """Those that were gone for so long that nobody speaks of them any more."""
        there = {process for process, _ in self._others()}
        return [process for process in self._known if process not in there]

    def _words(self, process: str, known: _Known) -> ProcessWords:
        state = self._state(known)
        since = known.state.since if state == "running" else known.missed_ms or known.state.told_at
        return _words(process, known.state, state, since, answers=False)

    def _state(self, known: _Known) -> ProcessStateWord:
        if known.state.state == "gone":
            return "gone"
        hears = self._reached_for(SILENT_AFTER_S) and _ago(self._echoed) < SILENT_AFTER_S / 2
        return "silent" if hears and _ago(known.at) > SILENT_AFTER_S else "running"

    def _reached_for(self, seconds: float) -> bool:
        return self.reached_at is not None and self.reachable() and _ago(self.reached_at) > seconds

    # -- what is wrong ---------------------------------------------------------------------------------------------

    def problems(self) -> list[OngoingProblem]:
        """What is wrong with this process, what others tell that is wrong, and what is wrong with them."""
        own = self.own()
        if self._alone:
            return own
        found = [*own, *self._of_others(), *self._of_names(), *self._missing()]
        # What several tell alike is told once.
        return list({(p.kind, p.subject): p for p in reversed(found)}.values())[::-1]

    def _of_others(self) -> Iterator[OngoingProblem]:
        for process, known in self._others():
            state, roles = self._state(known), ", ".join(known.state.roles)
            if state == "running":
                yield from known.state.problems
            elif state == "gone":
                text = TextWords(
                    f"网关进程 {process}（{roles}）已中断，未正常退出；其余进程接替其工作，请检查并重新启动",
                    f"The gateway process {process} ({roles}) is gone without a good-bye; others of its roles take "
                    "over. See why, and start it again",
                )
                yield OngoingProblem("process.gone", process, known.missed_ms or known.state.told_at, text)
            else:
                text = TextWords(
                    f"网关进程 {process}（{roles}）已连接消息代理，但超过 {SILENT_AFTER_S:g} 秒没有报告状态，请重启",
                    f"The gateway process {process} ({roles}) has told nothing for more than {SILENT_AFTER_S:g} s, "
                    "though its connection to the broker stands; start it again",
                )
                yield OngoingProblem("process.silent", process, known.state.told_at, text)

    def _of_names(self) -> Iterator[OngoingProblem]:
        if self._twin_ms is not None:
            text = TextWords(
                f"另有网关进程也叫 {self.me}：每个进程须有自己的 --name",
                f"Another gateway process is called {self.me}, too: each needs a --name of its own",
            )
            yield OngoingProblem("process.name_taken", self.me, self._twin_ms, text)
        if self.mine is None:
            return
        for process, known in self._others():
            if known.state.state == "running" and known.state.key != self.mine.key:
                text = TextWords(
                    f"网关进程 {process} 的 secret.key 与 {self.me} 的不同：所有进程须使用同一个密钥文件",
                    f"The gateway process {process} has another secret.key than {self.me}: all need the same file",
                )
                yield OngoingProblem("process.other_key", process, known.state.since, text)

    def _missing(self) -> Iterator[OngoingProblem]:
        """Roles that nobody has, after a while in which somebody could have come."""
        if self.mine is None or self.reached_at is None or not self._reached_for(_PATIENCE_S):
            return
        there = {*self.mine.roles}
        for _, known in self._others():
            there.update(known.state.roles if self._state(known) == "running" else ())
        since = to_ms(self._clock.now()) - int(1000 * _ago(self.reached_at))
        gone = {r: k.missed_ms for _, k in self._others() if k.missed_ms is not None for r in k.state.roles}
        for role in ROLES:
            if role not in there:
                zh, en = _DOES[role]
                text = TextWords(f"没有网关进程{zh}（--roles {role}）", f"No gateway process {en} (--roles {role})")
                yield OngoingProblem("role.missing", role, gone.get(role) or since, text)


def _words(process: str, told: ProcessState, state: ProcessStateWord, since: int, *, answers: bool) -> ProcessWords:
    return ProcessWords(
        process,
        state,
        told.roles,
        told.version,
        since,
        told.listen,
        told.ledger_waiting_s if state == "running" else None,
        len(told.problems) if state == "running" else 0,
        answers,
    )


def _ago(at: float) -> float:
    return time.monotonic() - at
