"""The dashboard of meters: readings as they were stored, registers, quality, and what the ledger makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from energy.quantities import QUANTITIES, Kind
from energy.sites import Site
from gateway.dashboards.hours_sql import Asked, literal, of_counter
from gateway.dashboards.panels import BARS, LAST, LINE, Model, Panel, Question, Variable, Words, dashboard, uid_of
from gateway.dashboards.sources import LEDGER, READINGS, RECORDS, Sources

_COUNTERS = tuple(name for name, q in QUANTITIES.items() if q.kind is Kind.COUNTER)


def meter_dashboard(site: Site, sources: Sources, words: Words) -> Model | None:
    """One dashboard for all meters; None where neither readings nor ledger can be asked."""
    panels = [*_of_readings(sources, words), *_of_ledger(site, sources, words)]
    if not panels:
        return None
    title = words("计量点", "Meters")
    uid = uid_of("meters", site.id)
    return dashboard(uid, title, site.id, site.zone, panels, variables=[*_variables(site, sources, words)])


def _variables(site: Site, sources: Sources, words: Words) -> Iterator[Variable]:
    label, series = words("计量点", "Meter"), f"{sources.series}_value"
    if sources.has(RECORDS):
        name = words("name_zh", "coalesce(nullif(name_en, ''), name_zh)")
        told = f"SELECT {name} || ' (' || id || ')' AS __text, id AS __value FROM meters ORDER BY 1"
        yield Variable("meter", label, RECORDS, told)
    elif sources.has(READINGS):
        yield Variable("meter", label, READINGS, f"label_values({series}, meter)")
    else:
        yield Variable("meter", label, LEDGER, "SELECT DISTINCT meter FROM ledger.points ORDER BY 1")
    if sources.has(READINGS):
        query = f'label_values({series}{{meter="$meter"}}, quantity)'
        yield Variable("quantity", words("量", "Quantity"), READINGS, query)
    if sources.has(LEDGER):
        names = ", ".join(literal(name) for name in _COUNTERS)
        query = (
            "SELECT quantity FROM ledger.points WHERE meter = ${meter:sqlstring} "
            f"AND quantity IN ({names}) ORDER BY id"
        )
        yield Variable("counter", words("计数器", "Counter"), LEDGER, query)


def _of_readings(sources: Sources, words: Words) -> Iterator[Panel]:
    if not sources.has(READINGS):
        return
    name, of = sources.series, '{meter="$meter",quantity="$quantity"}'
    whose = '{meter="$meter"}'

    def asked(function: str, series: str, legend: str) -> Question:
        return Question(READINGS, f"{function}({name}_{series}[$__interval])", legend=legend)

    yield Panel(
        words("读数曲线", "Readings"), "timeseries",
        [
            asked("avg_over_time", f"value{of}", words("平均", "mean")),
            asked("min_over_time", f"value{of}", words("最小", "least")),
            asked("max_over_time", f"value{of}", words("最大", "greatest")),
        ],
        width=24, custom=LINE, note=words("单位见术语表", "In the unit of the quantity (see the glossary)"),
    )  # fmt: skip
    counters = "|".join(_COUNTERS)
    registers = f'value{{meter="$meter",quantity=~"{counters}"}}'
    yield Panel(
        words("表底数", "Registers"), "timeseries",
        [asked("last_over_time", registers, "{{quantity}}")], custom=LINE,
    )  # fmt: skip
    yield Panel(
        words("读数个数", "How many readings"), "timeseries",
        [asked("count_over_time", f"value{of}", words("有值", "with a value")),
         asked("count_over_time", f"flag{of}", words("其中存疑或错误", "not good"))], custom=BARS,
    )  # fmt: skip
    yield Panel(
        words("质量（0 好，1 存疑，2 错误）", "Quality (0 good, 1 uncertain, 2 bad)"), "timeseries",
        [Question(READINGS, f"floor(max by (quantity) (max_over_time({name}_flag{whose}[$__interval])) / 256)",
                  legend="{{quantity}}")], custom=LINE,
    )  # fmt: skip
    yield Panel(
        words("距上次读数", "Since the last reading"), "stat",
        [Question(READINGS, f"time() - max(tlast_over_time({name}_value{whose}[7d]))", table=True)], "s", options=LAST,
    )  # fmt: skip


def _of_ledger(site: Site, sources: Sources, words: Words) -> Iterator[Panel]:
    if sources.has(LEDGER):
        for step, title in (("hour", words("每小时用量", "By hour")), ("day", words("每日用量", "By day"))):
            asked = Asked("hour" if step == "hour" else "day", site.zone)
            yield Panel(title, "timeseries", [Question(LEDGER, of_counter(asked, words))], custom=BARS)
