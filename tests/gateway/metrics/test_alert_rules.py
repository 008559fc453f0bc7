"""The alert rules that are shipped: they name what there is, are understood, and ring when they should and not else."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import yaml
from prometheus_client import CollectorRegistry

from adapters.wire import EdgeState
from edge.figures import Uplink, figures
from gateway.dashboards.fleet import fleet_dashboard
from gateway.dashboards.panels import Words
from gateway.dashboards.sources import METRICS, Source, Sources
from tests.docs.pages import ROOT
from tests.gateway.dashboards.asking import questions
from tests.gateway.ledger.sites import site as site_of
from tests.real_parts import program
from tests.victoria import VictoriaServer, victoria_server

FOLDER = ROOT / "config" / "prometheus"
FILE = FOLDER / "alerts.yml"
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
# What Prometheus itself tells of every target.
_OF_PROMETHEUS = {"up"}

BEGAN = 1_751_342_400  # 2025-07-01T04:00:00Z
_MINUTES = 150
_DAY = 86_400

Series = Callable[[int], float]


def _named(expr: str) -> set[str]:
    return set(re.findall(r"\b(up|(?:jieneng|process)_\w+)\b", expr))


def _exported(told: str) -> set[str]:
    """Every name under which a sample may come."""
    names: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", told, re.MULTILINE):
        names |= {name} | ({f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else set())
    return names


def _of_an_edge() -> str:
    return figures(EdgeState("online"), Uplink(), {}, (), CollectorRegistry()).decode()


async def test_the_rules_name_only_what_a_gateway_or_an_edge_exports(told: str) -> None:
    wanted = {name for rule in RULES for name in _named(rule["expr"])}

    assert len(RULES) > 20
    assert sorted(wanted - _exported(told) - _exported(_of_an_edge()) - _OF_PROMETHEUS) == []


def test_no_rule_for_a_gateway_rings_for_an_edge_too(told: str) -> None:
    """What both tell under one name is told alike of each process."""
    both = _exported(told) & _exported(_of_an_edge())

    assert {name for name in both if not name.startswith("process_")} == {"jieneng_build_info", "jieneng_problems"}
    assert not {name for rule in RULES for name in _named(rule["expr"])} & both


def test_what_each_process_tells_of_the_whole_is_summed_by_no_rule_and_no_dashboard() -> None:
    """Three processes that tell of a silent meter tell of one silent meter."""
    fleet = fleet_dashboard(site_of(), Sources((Source(METRICS, "here"),), "jieneng"), Words("en"))
    assert fleet is not None
    asked = [rule["expr"] for rule in RULES] + [expr for _, expr in questions(fleet, METRICS)]
    parts = [part for expr in asked for part in expr.split(" and ")]
    of_all = re.compile(r"\bjieneng_(problems|edges?_|ledger_|alarms_|notices_|certificate_|backup_)")

    assert any("jieneng_problems" in part for part in parts)
    assert [part for part in parts if of_all.search(part) and re.search(r"\b(sum|count|avg)\b", part)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_rule_says_how_bad_it_is_what_it_means_in_two_languages_and_what_to_do(rule: dict[str, Any]) -> None:
    said = rule["annotations"]
    page, _, anchor = said["runbook_url"].partition("#")

    assert rule["labels"]["severity"] in ("critical", "warning")
    assert re.search(r"[\u4e00-\u9fff]", said["summary"])
    assert re.search(r"[\u4e00-\u9fff]", said["description"])
    assert not re.search(r"[\u4e00-\u9fff]", said["summary_en"] + said["description_en"])
    assert (page, anchor) == ("docs/operating.md", rule["alert"].lower())
    assert f"\n#### {rule['alert']}\n" in PAGE


def test_the_page_tells_of_no_alert_that_is_not_there() -> None:
    assert set(re.findall(r"^#### (Jieneng\w+)$", PAGE, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def _understood(file: Path) -> bool:
    done = subprocess.run(
        [program("vmalert"), f"-rule={file}", "-dryRun"], capture_output=True, timeout=240, check=False
    )
    return done.returncode == 0


def test_each_rule_is_understood(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(
        FILE.read_text(encoding="utf-8").replace("jieneng_store_failing == 1", "jieneng_store_failing ==")
    )

    assert _understood(FILE)
    assert not _understood(broken)


def test_the_example_of_a_scrape_reads_the_rules_under_the_job_that_they_name() -> None:
    settings = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))

    assert [(FOLDER / name).is_file() for name in settings["rule_files"]] == [True]
    scrapes = [(one["job_name"], one["metrics_path"]) for one in settings["scrape_configs"]]
    assert scrapes == [("jieneng", "/metrics"), ("jieneng-edge", "/metrics")]


# -- what rings --------------------------------------------------------------------------------------------------------


def _still(value: float) -> Series:
    return lambda _minute: value


def _rising(by: float) -> Series:
    return lambda minute: by * minute


def _once(value: float) -> Series:
    """Nothing at first, then that and no more."""
    return lambda minute: value if minute >= 60 else 0.0


def _slow(name: str, labels: str = "") -> dict[str, tuple[Series, Series]]:
    """A histogram: when all is well everything takes less than a tenth of a second, else half of it 10 s."""
    return {
        f'{name}_bucket{{le="0.1"{labels}}}': (_rising(60), _rising(30)),
        f'{name}_bucket{{le="3"{labels}}}': (_rising(60), _rising(30)),
        f'{name}_bucket{{le="10"{labels}}}': (_rising(60), _rising(60)),
        f'{name}_bucket{{le="+Inf"{labels}}}': (_rising(60), _rising(60)),
    }


def _now(age: float) -> Series:
    """An instant that was always so many seconds ago."""
    return lambda minute: BEGAN + 60 * minute - age


# Of each series: what it is while all is well, and while something is wrong.
SEEDS: dict[str, tuple[Series, Series]] = {
    'up{job="jieneng"}': (_still(1), _still(0)),
    "jieneng_values_stored_total": (_rising(1000), _still(7)),
    "jieneng_edges_online": (_still(2), _still(2)),
    "jieneng_store_failing": (_still(0), _still(1)),
    **_slow("jieneng_store_write_seconds"),
    "jieneng_broker_reachable": (_still(1), _still(0)),
    "jieneng_records_reachable": (_still(1), _still(0)),
    "jieneng_ledger_reachable": (_still(1), _still(0)),
    'jieneng_values_refused_total{reason="duplicate"}': (_rising(50), _rising(50)),
    'jieneng_values_refused_total{reason="unknown meter"}': (_still(0), _rising(2)),
    'jieneng_readings_lost_total{cause="full"}': (_still(0), _once(40)),
    'jieneng_requests_total{route="/api/v1/site",status="2xx"}': (_rising(100), _rising(90)),
    'jieneng_requests_total{route="/api/v1/site",status="5xx"}': (_rising(0.01), _rising(10)),
    **_slow("jieneng_request_seconds", ',route="/api/v1/site"'),
    'jieneng_edge_online{edge="north"}': (_still(1), _still(1)),
    'jieneng_edge_online{edge="south"}': (_still(1), _still(0)),
    'jieneng_edge_lag_seconds{edge="north"}': (_still(20), _rising(60)),
    'jieneng_edge_outbox_full{edge="north"}': (_still(0), _still(1)),
    'jieneng_edge_meters_silent{edge="north"}': (_still(0), _still(3)),
    'jieneng_edge_clock_offset_seconds{edge="north"}': (_still(-0.2), _still(-45)),
    'jieneng_edge_site_file_refused{edge="north"}': (_still(0), _still(1)),
    'up{job="jieneng-edge"}': (_still(1), _still(0)),
    "jieneng_broker_connected": (_still(1), _still(0)),
    "jieneng_unanswered_seconds": (_still(0), _rising(60)),
    "jieneng_outbox_failing": (_still(0), _still(1)),
    'jieneng_line_late_ticks_total{line="bus"}': (_still(5), _rising(1)),
    "jieneng_clock_synchronized": (_still(1), _still(0)),
    "jieneng_ledger_oldest_change_seconds": (_still(2), _rising(60)),
    'jieneng_job_failing{job_name="quotas"}': (_still(0), _still(1)),
    'jieneng_job_last_success_timestamp_seconds{job_name="findings"}': (_now(1800), _still(BEGAN - 3 * 3600)),
    'jieneng_job_last_success_timestamp_seconds{job_name="quotas"}': (_still(0), _still(0)),
    'jieneng_alarms_unacknowledged{level="urgent"}': (_still(0), _still(1)),
    'jieneng_alarms_unacknowledged{level="notice"}': (_still(4), _still(4)),
    "jieneng_notices_refused_total": (_still(3), _once(8)),
    "jieneng_notices_waiting": (_still(0), _still(2)),
    'jieneng_certificate_expiry_timestamp_seconds{identity="north"}': (_now(-60 * _DAY), _now(-13 * _DAY)),
    "jieneng_backup_timestamp_seconds": (_now(3 * 3600), _now(3 * _DAY)),
}


# Of a second process, which takes no readings and had the jobs until they went to the first: in both installations.
BESIDE: dict[str, Series] = {
    "jieneng_values_stored_total": _still(0),
    "jieneng_edges_online": _still(2),
    'jieneng_edge_online{edge="north"}': _still(1),
    'jieneng_job_last_success_timestamp_seconds{job_name="findings"}': _still(BEGAN - 4 * 3600),
    "jieneng_backup_timestamp_seconds": _now(9 * _DAY),
}


@pytest.fixture(scope="module")
def server() -> Iterator[VictoriaServer]:
    with victoria_server() as made:
        yield made


def _ask(server: VictoriaServer, path: str, body: bytes | None = None, **query: str) -> Any:
    address = f"http://127.0.0.1:{server.port}{path}?{urlencode(query)}"
    with urlopen(Request(address, data=body), timeout=120) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def _lines() -> Iterator[str]:
    for series, seeds in SEEDS.items():
        name, _, labels = series.rstrip("}").partition("{")
        for site, seed in zip(("well", "ill"), seeds, strict=True):
            told = ",".join(part for part in (labels, f'instance="one",installation="{site}"') if part)
            for minute in range(_MINUTES):
                yield f"{name}{{{told}}} {seed(minute)} {1000 * (BEGAN + 60 * minute)}"

    for series, seed in BESIDE.items():
        name, _, labels = series.rstrip("}").partition("{")
        for site in ("well", "ill"):
            told = ",".join(part for part in (labels, f'instance="two",installation="{site}"') if part)
            for minute in range(_MINUTES):
                yield f"{name}{{{told}}} {seed(minute)} {1000 * (BEGAN + 60 * minute)}"


def _replayed(server: VictoriaServer) -> None:
    """Let vmalert look at the rules through all of the time, each minute, as if it had been there."""
    address = f"http://127.0.0.1:{server.port}"
    since, until = (datetime.fromtimestamp(BEGAN + 60 * m, UTC).isoformat() for m in (0, _MINUTES - 1))
    span = [f"-replay.timeFrom={since}", f"-replay.timeTo={until}", "-replay.rulesDelay=0"]
    ways = [f"-datasource.url={address}", f"-remoteWrite.url={address}", f"-remoteRead.url={address}"]
    listening = ["-httpListenAddr=127.0.0.1:0", "-datasource.queryStep=1m", "-replay.disableProgressBar"]
    command = [program("vmalert"), f"-rule={FILE}", *ways, *span, *listening]
    done = subprocess.run(command, capture_output=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def test_each_rule_rings_for_an_installation_that_is_ill_and_none_for_one_that_is_well(server: VictoriaServer) -> None:
    _ask(server, "/api/v1/import/prometheus", "\n".join(_lines()).encode())
    server.show_all()
    _replayed(server)
    server.show_all()

    query = 'count by (alertname, installation) (last_over_time(ALERTS{alertstate="firing"}[3h]))'
    found = _ask(server, "/api/v1/query", query=query, time=str(BEGAN + 60 * _MINUTES))["data"]["result"]

    rang = {(one["metric"]["alertname"], one["metric"]["installation"]) for one in found}
    assert sorted(alert for alert, site in rang if site == "well") == []
    assert {alert for alert, site in rang if site == "ill"} == {rule["alert"] for rule in RULES}
