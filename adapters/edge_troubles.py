"""What is wrong with an edge by what it says of itself: told alike by the gateway and by the edge."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.wire import EdgeState, LineState, SiteState
from energy.sites import Text

# From here on an edge that is there lags behind.
_LAG_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now with `subject`, an edge or one of its lines (EDGE/LINE).

    since_ms : since when [ms since the epoch]; None where the edge does not say.
    """

    kind: str
    subject: str
    text: Text
    since_ms: int | None = None


def lag_ms(said: EdgeState) -> int | None:
    """How old the oldest reading is that is not stored, both by the edge's clock; None where that is not told."""
    if not said.outbox_batches:
        return 0 if said.outbox_batches == 0 else None
    if said.told_at is None or said.oldest_at is None:
        return None
    return max(0, said.told_at - said.oldest_at)


def troubles(edge: str, said: EdgeState) -> Iterator[Trouble]:
    """All of them; of an edge that is gone only what stays: that its outbox was full."""
    if said.outbox_full:
        yield Trouble("edge.outbox_full", edge, _full(edge, said))
    if said.state == "offline":
        return
    for line, found in said.lines.items():
        if found.load > 1:
            yield Trouble("edge.line_overloaded", f"{edge}/{line}", _overload(line, found))
    if said.site is not None and said.site.refused:
        yield Trouble("edge.site_refused", edge, _refusal(edge, said.site))
    if said.outbox_failing:
        yield Trouble("edge.outbox_failing", edge, _failing(edge, said))
    if said.reading_stopped:
        yield Trouble("edge.reading_stopped", edge, _stopped(edge))
    if (lag := lag_ms(said)) is not None and lag >= _LAG_MS:
        yield Trouble("edge.lagging", edge, _lag(edge, lag, said.outbox_batches or 0), said.oldest_at)


def _full(edge: str, said: EdgeState) -> Text:
    dropped, thinned = said.outbox_dropped or 0, said.outbox_thinned or 0
    return Text(
        f"采集端 {edge} 的缓存已满，已抽稀 {thinned} 条读数，已丢弃 {dropped} 批最旧的读数",
        f"The outbox of edge {edge} is full: {thinned} readings were thinned out, {dropped} of its oldest batches lost",
    )


def _overload(line: str, found: LineState) -> Text:
    lines = math.ceil(found.load)
    faster = (f"，或将波特率提高到 {found.baud}", f", at {found.baud} baud") if found.baud else ("", "")
    return Text(
        f"线路 {line} 每秒需要 {found.load:.2f} 秒总线时间，已跳过 {found.late_ticks} 次抄读："
        f"把抄读间隔放长到 {found.load:.2f} 倍以上，或分成 {lines} 条线路{faster[0]}",
        f"Line {line} needs {found.load:.2f} s of each second, and has skipped {found.late_ticks} readings: it would "
        f"keep up with intervals {found.load:.2f} times as long, as {lines} lines{faster[1]}",
    )


def _refusal(edge: str, site: SiteState) -> Text:
    named = f" {site.refused_version}" if site.refused_version else ""
    return Text(
        f"采集端 {edge} 未采用站点文件{named}，仍按 {site.version} 运行：{site.refused}",
        f"Edge {edge} has not taken a site file{named}, and runs on {site.version}: {site.refused}",
    )


def _failing(edge: str, said: EdgeState) -> Text:
    return Text(
        f"采集端 {edge} 的磁盘拒绝写入，{said.outbox_waiting or 0} 条读数暂存内存：{said.outbox_failing}",
        f"The disk of edge {edge} takes nothing, {said.outbox_waiting or 0} readings wait in memory: "
        f"{said.outbox_failing}",
    )


def _stopped(edge: str) -> Text:
    return Text(
        f"采集端 {edge} 的缓存已满，已停止抄表，待读数送出后恢复",
        f"The outbox of edge {edge} is full, and it reads no meters until readings have gone",
    )


def _lag(edge: str, lag: int, batches: int) -> Text:
    minutes = lag // 60_000
    zh = f"{minutes // 60} 小时 {minutes % 60} 分" if minutes >= 60 else f"{minutes} 分钟"
    en = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return Text(
        f"采集端 {edge} 的读数滞后 {zh}，尚有 {batches} 批待补传",
        f"Readings of edge {edge} are {en} behind: {batches} batches wait",
    )
