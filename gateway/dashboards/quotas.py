"""Dashboards of quotas: used since the year began, beside what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from energy.quantities import Medium
from energy.quotas import QUOTA_UNITS, Quota, QuotaOf
from energy.sites import Site
from gateway.dashboards.campus import medium_name, node_names
from gateway.dashboards.hours_sql import TO, Asked, cumulated, literal
from gateway.dashboards.panels import LAST, LINE, Model, Panel, Question, Words, dashboard, uid_of
from gateway.dashboards.parts import Compositions
from gateway.dashboards.sources import LEDGER, RECORDS
from gateway.ledger.scope import Node


def quota_dashboards(site: Site, quotas: Sequence[Quota], compositions: Compositions, words: Words) -> Iterator[Model]:
    """One of each node that has quotas of a medium. Those of standard coal are left to the platform."""
    names = node_names(site, words)
    for of in sorted({q.of for q in quotas}):
        limited = sorted({q.limited for q in quotas if q.of == of and q.limited is not QuotaOf.ENERGY})
        panels = [panel for one in limited for panel in _panels(site, of, one, compositions, words)]
        if panels:
            title = words("定额：", "Quota: ") + names.get(of, of)
            yield dashboard(uid_of("quota", site.id, of), title, site.id, site.zone, panels, since="now/y")


def _panels(site: Site, of: str, limited: QuotaOf, compositions: Compositions, words: Words) -> Iterator[Panel]:
    made = compositions.of(Node.parse(of)).get(Medium(limited.value))
    if made is None or not made.parts:
        return
    unit, name = QUOTA_UNITS[limited], words.name(medium_name(Medium(limited.value)))
    new_year = _new_year(site.zone)
    since = f"extract(epoch FROM {new_year} AT TIME ZONE '{site.zone}')::bigint"
    # Days that are over, as the platform reckons the pace.
    today = f"extract(epoch FROM date_trunc('day', now() AT TIME ZONE '{site.zone}') AT TIME ZONE '{site.zone}')"
    used = cumulated(made, Asked("day", site.zone, since, f"least({TO}, {today}::bigint)"), words)
    yield Panel(
        words(f"{name}：用量与定额进度", f"{name}: used and allowed so far"), "timeseries",
        [Question(LEDGER, used), Question(RECORDS, allowed_by_day(of, limited, site.zone, words))], unit,
        width=18, custom=LINE,
        note=words(
            "截至每日末。文件给出各月定额的按月、月内按日均分；否则全年按日均分（平台另按往年和工作日分）",
            "At the end of each day. By the months of the document and evenly within them; else evenly over the year "
            "(the platform goes by past years and weekdays)",
        ),
    )  # fmt: skip
    yield Panel(
        words(f"{name}：年度定额", f"{name}: quota of the year"), "stat",
        [Question(RECORDS, allowance(of, limited, site.zone, words), table=True)], unit, width=6, options=LAST,
    )  # fmt: skip


def allowance(of: str, limited: QuotaOf, zone: str, words: Words) -> str:
    """What the quota of the year is that is shown last."""
    return f'SELECT amount AS "{words("定额", "quota")}" FROM ({_quota(of, limited, zone)}) AS q'


def allowed_by_day(of: str, limited: QuotaOf, zone: str, words: Words) -> str:
    """What is allowed from the first of January to the end of each day of the year."""
    new_year = _new_year(zone)
    return f"""WITH q AS ({_quota(of, limited, zone)}),
days AS (SELECT d, extract(month FROM d)::int AS month, extract(day FROM d) AS day,
    extract(day FROM date_trunc('month', d) + interval '1 month' - interval '1 day') AS in_month,
    extract(doy FROM d) AS of_year, extract(doy FROM {new_year} + interval '1 year' - interval '1 day') AS in_year
  FROM generate_series({new_year}, {new_year} + interval '1 year' - interval '1 day', interval '1 day') AS d)
SELECT d AT TIME ZONE '{zone}' AS time, (CASE WHEN json_typeof(months) = 'array' THEN
    (SELECT coalesce(sum(m.value::numeric), 0) FROM json_array_elements_text(months) WITH ORDINALITY AS m (value, n)
      WHERE m.n < month) + (months ->> (month - 1))::numeric * day / in_month
  ELSE amount * of_year / in_year END)::float8 AS "{words("进度定额", "allowed so far")}"
FROM days CROSS JOIN q ORDER BY d"""


def _quota(of: str, limited: QuotaOf, zone: str) -> str:
    """The row that holds: of the year that is shown last, dated last, not withdrawn."""
    return (
        f'SELECT amount::numeric AS amount, months FROM quotas WHERE "of" = {literal(of)} '
        f"AND limited = {literal(limited.value)} AND year = extract(year FROM {_new_year(zone)}) "
        "AND withdrawn_at_ms IS NULL ORDER BY dated DESC, id DESC LIMIT 1"
    )


def _new_year(zone: str) -> str:
    """Local midnight with which the year begins that is shown last."""
    return f"date_trunc('year', to_timestamp(least({TO}, extract(epoch FROM now())::bigint) - 1) AT TIME ZONE '{zone}')"
