"""The dashboard of contracts: what was saved and what is due, by frozen statement."""

from __future__ import annotations

from energy.sites import Site
from gateway.dashboards.panels import BARS, Model, Panel, Question, Variable, Words, dashboard, uid_of
from gateway.dashboards.sources import RECORDS

# Settles its days: no reversal, and not taken back.
_HOLDS = (
    "s.kind = 'regular' AND NOT EXISTS (SELECT 1 FROM contract_statement_steps t "
    "WHERE t.statement = s.id AND t.kind = 'reversed')"
)
_LINES = "json_array_elements(s.bundle::json -> 'lines') AS line"
_WHOSE = "s.contract = ${contract:sqlstring}"


def contract_dashboard(site: Site, words: Words) -> Model:
    """One dashboard for all contracts."""
    chosen = Variable(
        "contract", words("合同", "Contract"), RECORDS, "SELECT DISTINCT contract FROM contract_statements ORDER BY 1"
    )
    panels = [
        Panel(
            words("各结算期节能量", "Saved, by statement"), "timeseries",
            [Question(RECORDS, saved(site.zone, words))], custom=BARS,
            note=words("只计有效的结算单；画在结算期首日", "Of statements that hold, at the first day of each"),
        ),
        Panel(
            words("各结算期应付", "Due, by statement"), "timeseries",
            [Question(RECORDS, due(site.zone, words))], words("元", "yuan"), custom=BARS,
        ),
        Panel(
            words("结算单", "Statements"), "table", [Question(RECORDS, statements(words), table=True)],
            width=24, height=10,
        ),
    ]  # fmt: skip
    title = words("节能合同", "Contracts")
    return dashboard(
        uid_of("contracts", site.id), title, site.id, site.zone, panels, variables=[chosen], since="now-2y"
    )


def saved(zone: str, words: Words) -> str:
    """Savings of the statements that hold; a curve for each unit."""
    name = words("节能量", "saved")
    return f"""SELECT s.first_day::timestamp AT TIME ZONE '{zone}' AS time,
  '{name} ' || (line ->> 'unit') AS metric, sum((line ->> 'saving')::numeric)::float8 AS value
FROM contract_statements s, {_LINES}
WHERE {_WHOSE} AND {_HOLDS} AND (line ->> 'saving') IS NOT NULL GROUP BY 1, 2 ORDER BY 1"""


def due(zone: str, words: Words) -> str:
    """What the statements that hold come to."""
    return f"""SELECT s.first_day::timestamp AT TIME ZONE '{zone}' AS time,
  s.due::numeric::float8 AS "{words("应付", "due")}"
FROM contract_statements s WHERE {_WHOSE} AND {_HOLDS} ORDER BY 1"""


def statements(words: Words) -> str:
    """All statements, those that take others back too."""
    yes, no = words("有效", "holds"), words("已冲销", "taken back")
    reversing = words("冲销单", "takes back")
    return f"""SELECT s.number AS "{words("编号", "number")}", s.first_day AS "{words("自", "from")}",
  s.end_day - 1 AS "{words("至", "to")}", s.due::numeric::float8 AS "{words("应付（元）", "due (yuan)")}",
  (SELECT sum((line ->> 'saving')::numeric)::float8 FROM {_LINES}) AS "{words("节能量", "saved")}",
  CASE WHEN s.kind <> 'regular' THEN '{reversing}' WHEN {_HOLDS} THEN '{yes}' ELSE '{no}' END
    AS "{words("状态", "state")}"
FROM contract_statements s WHERE {_WHOSE} ORDER BY s.sequence"""
