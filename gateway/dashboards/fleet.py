"""The dashboard of the edges: what the gateway's metrics tell, and which meters are silent."""

from __future__ import annotations

from collections.abc import Iterator

from energy.sites import Site
from gateway.dashboards.panels import LAST, LINE, Model, Panel, Question, Words, dashboard, uid_of
from gateway.dashboards.sources import METRICS, READINGS, Sources


def fleet_dashboard(site: Site, sources: Sources, words: Words) -> Model | None:
    """None where neither metrics nor readings can be asked."""
    panels = [*_of_metrics(sources, words), *_of_readings(sources, words)]
    if not panels:
        return None
    title = words("采集端", "Edges")
    return dashboard(uid_of("fleet", site.id), title, site.id, site.zone, panels, since="now-24h")


def _of_metrics(sources: Sources, words: Words) -> Iterator[Panel]:
    if not sources.has(METRICS):
        return
    for title, query, legend in (
        (words("在线采集端", "Edges online"), "max(jieneng_edges_online)", ""),
        (words("页面连接", "Open pages"), "sum(jieneng_live_listeners)", ""),
    ):
        yield Panel(title, "stat", [Question(METRICS, query, legend=legend)], width=6, height=5, options=LAST)
    for title, query, legend, unit in (
        (words("每秒入库读数", "Readings stored per second"), _rate("jieneng_values_stored_total"), "", "1/s"),
        (
            words("每秒拒收读数", "Readings refused per second"),
            "sum by (reason) (rate(jieneng_values_refused_total[$__rate_interval])) > 0", "{{reason}}", "1/s",
        ),
        (words("每秒收到报文", "Messages per second"), _rate("jieneng_batches_received_total"), "", "1/s"),
        (
            words("写库耗时（95%）", "Time to commit (95 %)"),
            "histogram_quantile(0.95, sum by (le) (rate(jieneng_store_write_seconds_bucket[$__rate_interval])))",
            "", "s",
        ),
    ):  # fmt: skip
        yield Panel(title, "timeseries", [Question(METRICS, query, legend=legend)], unit, custom=LINE)
    yield Panel(
        words("当前问题", "What is wrong now"), "timeseries",
        # Each process tells of all; what edges tell that are asked themselves is among it.
        [Question(METRICS, 'max by (kind) (jieneng_problems{job="jieneng"})', legend="{{kind}}")], custom=LINE,
    )  # fmt: skip
    yield from _of_each_edge(words)
    yield Panel(
        words("各线路：抄读滞后", "Each line: behind its ticks"), "timeseries",
        [Question(METRICS, "max by (instance, line) (jieneng_line_behind_seconds)", legend="{{instance}} {{line}}")],
        "s", custom=LINE, note=words("由采集端自身告知", "As edges tell that are asked themselves"),
    )  # fmt: skip
    yield Panel(
        words("正在告警的规则", "Alert rules that ring"), "table",
        [Question(METRICS, 'max by (alertname, severity, instance) (ALERTS{alertstate="firing"})', table=True)],
        note=words("由 vmalert 或 Prometheus 判断", "As vmalert or Prometheus finds"),
    )  # fmt: skip


def _of_each_edge(words: Words) -> Iterator[Panel]:
    """What the edges told of themselves last."""
    for title, name, unit in (
        (words("各采集端：在线", "Each edge: online"), "online", ""),
        (
            words("各采集端：最早未入库读数的时长", "Each edge: age of the oldest reading not stored"),
            "lag_seconds",
            "s",
        ),
        (words("各采集端：缓存批数", "Each edge: batches in its outbox"), "outbox_batches", ""),
        (words("各采集端：无应答计量点", "Each edge: silent meters"), "meters_silent", ""),
        (words("各采集端：时钟偏差", "Each edge: clock ahead by"), "clock_offset_seconds", "s"),
    ):
        query = f"max by (edge) (jieneng_edge_{name})"
        yield Panel(title, "timeseries", [Question(METRICS, query, legend="{{edge}}")], unit, custom=LINE)


def _rate(counter: str) -> str:
    return f"sum(rate({counter}[$__rate_interval]))"


def _of_readings(sources: Sources, words: Words) -> Iterator[Panel]:
    if not sources.has(READINGS):
        return
    series = f"{sources.series}_value"
    yield Panel(
        words("有读数的计量点", "Meters with readings"), "timeseries",
        [Question(READINGS, f"count(count by (meter) (count_over_time({series}[$__interval])))")], custom=LINE,
    )  # fmt: skip
    yield Panel(
        words("最久没有读数的计量点", "Meters silent for longest"), "table",
        [Question(READINGS, f"topk(50, time() - max by (meter) (tlast_over_time({series}[7d])))", table=True)], "s",
        note=words("一周以上没有读数的不在此列", "Those without a reading for a week are not listed"),
    )  # fmt: skip
