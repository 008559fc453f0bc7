"""Certificates that end soon are a problem while they still hold: those of edges, of the gateway, of the broker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog

from adapters.broker_rules import GATEWAY
from adapters.identity_index import Index, read_index
from energy.errors import EnergyError
from energy.ports import Clock
from energy.readings import to_ms
from gateway.api.words import OngoingProblem, TextWords

log = structlog.get_logger()

_DAY_MS = 86_400_000
_TOLD_BEFORE_MS = 30 * _DAY_MS
_LOOK_EVERY_MS = 60_000


class Expiries:
    """Of a folder of identities; without one there is nothing to tell."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self._index, self._looked_ms = Index(), -_LOOK_EVERY_MS
        self._unread: str | None = None

    def problems(self) -> list[OngoingProblem]:
        now_ms = self._renewed_ms()
        return [
            OngoingProblem("identity.expiring", subject, until - _TOLD_BEFORE_MS, _text(what, until, now_ms, remedy))
            for subject, what, until, remedy in _ends(self._index)
            if until - now_ms < _TOLD_BEFORE_MS
        ]

    def until(self) -> dict[str, int]:
        """When the newest certificate of each edge that may come ends [ms since the epoch]."""
        self._renewed_ms()
        edges = self._index.edges.values()
        return {one.name: one.until for one in edges if one.revoked_at is None and one.until is not None}

    def ends(self) -> dict[str, int]:
        """When the certificate of each that has one ends, of the authority and the broker too [ms since the epoch]."""
        self._renewed_ms()
        return {subject: until for subject, _, until, _ in _ends(self._index)}

    def _renewed_ms(self) -> int:
        """Look at the folder, if that was not done just now; what time it is."""
        now_ms = to_ms(self._clock.now())
        if self._folder is not None and abs(now_ms - self._looked_ms) >= _LOOK_EVERY_MS:
            self._looked_ms = now_ms
            self._look(self._folder)
        return now_ms

    def _look(self, folder: Path) -> None:
        try:
            self._index, self._unread = read_index(folder), None
        except EnergyError as error:
            if self._unread is None:
                log.error("identities.unread", cause=str(error))
            self._unread = str(error)


def _ends(index: Index) -> Iterator[tuple[str, TextWords, int, TextWords]]:
    """What ends: its id, its name, when, and what helps."""
    again = TextWords(
        "下次启动 jieneng run 或运行 jieneng edge enroll 时自动更新",
        "it is made anew by the next start of `jieneng run`, or the next `jieneng edge enroll`",
    )
    if index.authority_until is not None:
        name = TextWords("接入证书的签发机构", "The authority of all certificates")
        remedy = TextWords("须更换全部接入证书，见运维说明", "all certificates must be replaced, see docs/operating.md")
        yield "authority", name, index.authority_until, remedy
    if index.broker_until is not None:
        yield "broker", TextWords("消息代理的证书", "The certificate of the broker"), index.broker_until, again
    for one in index.edges.values():
        if one.revoked_at is not None or one.until is None:
            continue
        if one.own:
            whose = TextWords("网关", "the gateway") if one.name == GATEWAY else _of_edge(one.name)
            yield one.name, _certificate_of(whose), one.until, again
        else:
            command = f"jieneng edge enroll --renew {one.name}"
            remedy = TextWords(f"请运行 {command} 并把新文件带到现场", f"run `{command}` and carry the folder there")
            yield one.name, _certificate_of(_of_edge(one.name)), one.until, remedy


def _of_edge(name: str) -> TextWords:
    return TextWords(f"采集端 {name}", f"edge {name}")


def _certificate_of(whose: TextWords) -> TextWords:
    return TextWords(f"{whose.zh} 的证书", f"The certificate of {whose.en}")


def _text(what: TextWords, until_ms: int, now_ms: int, remedy: TextWords) -> TextWords:
    day = datetime.fromtimestamp(until_ms / 1000, UTC).date()
    if until_ms <= now_ms:
        return TextWords(f"{what.zh}已于 {day} 到期；{remedy.zh}", f"{what.en} ended on {day}; {remedy.en}")
    return TextWords(f"{what.zh}将于 {day} 到期；{remedy.zh}", f"{what.en} ends on {day}; {remedy.en}")
