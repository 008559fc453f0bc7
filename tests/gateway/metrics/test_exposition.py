"""What Prometheus is told: the gateway, its edges, ledger, alarms and jobs."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from adapters.wire import ClockState, EdgeState, MeterState, SiteState, encode
from analytics.alarms.rules import Level
from energy.errors import StoreError
from energy.names import Text
from energy.readings import to_ms
from gateway import exposition
from gateway.alerts.alarm import Member, Raised
from gateway.backups.newest import BACKED_UP, backed_up_at, note_backup
from gateway.services import Services
from tests.docs.pages import ROOT
from tests.gateway.metrics.conftest import NOW, Client

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
_MINUTE_MS = 60_000


async def figures(client: Client) -> dict[str, float]:
    """Each sample by its name with its labels."""
    answer = await client.get("/metrics")
    assert answer.status == 200, await answer.text()
    return {
        sample.name + "".join(f"{{{key}={value}}}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await answer.text())
        for sample in family.samples
    }


def _edge(**given: object) -> bytes:
    return encode(EdgeState("online", **given))  # type: ignore[arg-type]


async def test_an_edge_is_told_with_its_lag_outbox_clock_and_silent_meters(client: Client, services: Services) -> None:
    now_ms = to_ms(NOW)
    silent = {"a": MeterState("silent", now_ms, "no answer"), "b": MeterState("reporting", now_ms, "")}
    late = {"oldest_at": now_ms - 20 * _MINUTE_MS, "outbox_batches": 7, "outbox_bytes": 4096}
    for told_at in (now_ms + 40_000, now_ms + 40_000):
        clock = ClockState(synchronized=True)
        site = SiteState("v1", now_ms, "v2", "line one is gone")
        services.edges.take("north", _edge(told_at=told_at, meters=silent, clock=clock, site=site, **late))
    services.edges.take("south", encode(EdgeState("offline")))

    found = await figures(client)

    north = {name: found.get(f"jieneng_edge_{name}{{edge=north}}") for name in ("online", "outbox_batches", "meters")}
    assert north == {"online": 1, "outbox_batches": 7, "meters": 2}
    assert found["jieneng_edge_lag_seconds{edge=north}"] == 20 * 60 + 40
    assert found["jieneng_edge_outbox_bytes{edge=north}"] == 4096
    assert found["jieneng_edge_meters_silent{edge=north}"] == 1
    assert found["jieneng_edge_clock_offset_seconds{edge=north}"] == 40
    assert found["jieneng_edge_site_file_refused{edge=north}"] == 1
    assert found["jieneng_edge_online{edge=south}"] == 0
    assert (found["jieneng_edges_online"], found["jieneng_edges_known"]) == (1, 2)
    assert found["jieneng_problems{kind=edge.offline}"] == 1


async def test_what_an_edge_does_not_tell_has_no_figure_rather_than_zero(client: Client, services: Services) -> None:
    services.edges.take("old", encode(EdgeState("online")))

    found = await figures(client)

    assert "jieneng_edge_lag_seconds{edge=old}" not in found
    assert "jieneng_edge_clock_offset_seconds{edge=old}" not in found
    assert "jieneng_backup_timestamp_seconds" not in found


async def test_an_edge_that_was_forgotten_is_told_no_more(client: Client, services: Services) -> None:
    services.edges.take("gone", encode(EdgeState("online")))
    assert "jieneng_edge_online{edge=gone}" in await figures(client)

    services.edges.take("gone", b"")

    assert "jieneng_edge_online{edge=gone}" not in await figures(client)


async def test_whoever_names_edges_without_end_does_not_fill_prometheus(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition, "MOST_EDGES", 3)
    for number in range(5):
        services.edges.take(f"edge{number}", encode(EdgeState("online")))

    found = await figures(client)

    assert sum(name.startswith("jieneng_edge_online{") for name in found) == 3
    assert found["jieneng_edges_known"] == 5


async def test_requests_are_counted_by_route_and_never_by_what_strangers_ask_for(client: Client) -> None:
    await client.get("/api/v1/site")
    await client.get("/api/v1/edges/nobody")
    for path in ("/api/v1/guess1", "/api/v1/guess2"):
        await client.get(path)

    found = await figures(client)

    assert found["jieneng_requests_total{route=/api/v1/site}{status=2xx}"] == 1
    assert found["jieneng_requests_total{route=/api/v1/edges/{edge}}{status=4xx}"] == 1
    assert found["jieneng_request_seconds_count{route=/api/v1/site}"] == 1
    assert not [name for name in found if "guess" in name]


async def test_a_websocket_counts_as_asked_and_not_as_slow(client: Client) -> None:
    socket = await client.ws_connect("/api/v1/live")
    await socket.close()

    found = await figures(client)

    assert found["jieneng_requests_total{route=/api/v1/live}{status=1xx}"] == 1
    assert "jieneng_request_seconds_count{route=/api/v1/live}" not in found


async def test_alarms_are_told_by_level_until_they_are_acknowledged(client: Client, services: Services) -> None:
    leak = Raised(
        "water/main", "limit", Level.URGENT, "main", Text("漏", "Leak"), to_ms(NOW), (Member("main", to_ms(NOW)),)
    )
    alarms = services.alerts.alarms
    (alarm,) = await alarms.raise_all([leak])
    before = await figures(client)

    await alarms.acknowledge(alarm, "wang", "page")

    after = await figures(client)
    assert before["jieneng_alarms_open{level=urgent}"] == before["jieneng_alarms_unacknowledged{level=urgent}"] == 1
    assert after["jieneng_alarms_open{level=urgent}"] == 1
    assert after["jieneng_alarms_unacknowledged{level=urgent}"] == 0


async def test_records_that_fail_are_told_and_the_rest_all_the_same(client: Client, services: Services) -> None:
    before = await figures(client)
    async with services.alerts.outbox.records.writing() as connection:
        await connection.execute(text("ALTER TABLE alarm_messages RENAME TO lost"))

    after = await figures(client)

    assert (before["jieneng_records_reachable"], after["jieneng_records_reachable"]) == (1, 0)
    assert after["jieneng_ledger_reachable"] == 1
    assert "jieneng_notices_refused_total" in before
    assert "jieneng_notices_refused_total" not in after


async def test_the_ledger_tells_since_when_a_change_waits(client: Client, services: Services) -> None:
    services.books.changed()
    assert (await figures(client))["jieneng_ledger_oldest_change_seconds"] > 0

    await services.books.catch_up()

    assert (await figures(client))["jieneng_ledger_oldest_change_seconds"] == 0


async def test_a_job_that_fails_is_told_until_it_ends_well(client: Client, services: Services) -> None:
    job = services.metrics.job("quotas")
    with pytest.raises(StoreError), job():
        raise StoreError("away")
    failed = await figures(client)

    with job():
        pass

    well = await figures(client)
    assert (failed["jieneng_job_failing{job_name=quotas}"], well["jieneng_job_failing{job_name=quotas}"]) == (1, 0)
    at = "jieneng_job_last_success_timestamp_seconds{job_name=quotas}"
    assert failed[at] == 0
    assert well[at] > 0


async def test_the_end_of_a_certificate_is_told_as_an_instant(client: Client, services: Services) -> None:
    services.metrics.certificates = lambda: {"authority": 1_800_000_000_000}

    assert (await figures(client))["jieneng_certificate_expiry_timestamp_seconds{identity=authority}"] == 1.8e9


async def test_a_job_that_went_to_another_process_fails_here_no_more(client: Client, services: Services) -> None:
    for name in ("quotas", "findings"):
        with pytest.raises(StoreError), services.metrics.job(name)():
            raise StoreError("away")
    services.metrics.given_up("quotas")
    services.metrics.given_up("desk")

    found = await figures(client)
    failing = {name: found[f"jieneng_job_failing{{job_name={name}}}"] for name in ("quotas", "findings")}
    assert failing == {"quotas": 0, "findings": 1}


async def test_the_newest_backup_is_known_whoever_made_it(tmp_path: Path, client: Client, services: Services) -> None:
    services.metrics.backed_up_at = partial(backed_up_at, tmp_path)
    assert "jieneng_backup_timestamp_seconds" not in await figures(client)
    note_backup(tmp_path)
    os.utime(tmp_path / BACKED_UP, (1.7e9, 1.7e9))

    assert (await figures(client))["jieneng_backup_timestamp_seconds"] == 1.7e9


def _names(told: str) -> set[str]:
    return set(re.findall(r"^# HELP (\S+)", told, re.MULTILINE))


async def test_every_metric_is_told_on_the_page_and_none_that_is_not_there(told: str) -> None:
    metrics = PAGE.partition("\n## Metrics\n")[2].partition("\n### ")[0]

    assert set(re.findall(r"^\| `(\w+)", metrics, re.MULTILINE)) == _names(told)


async def test_no_figure_is_told_of_single_meters(client: Client, services: Services) -> None:
    services.edges.take("north", _edge(meters={"kitchen": MeterState("silent", to_ms(NOW), "no answer")}))
    member = Member("kitchen:active_power", to_ms(NOW))
    title = Text("高", "High")
    await services.alerts.alarms.raise_all(
        [Raised("limit/kitchen", "limit", Level.NOTICE, "kitchen", title, to_ms(NOW), (member,))]
    )

    found = await figures(client)

    assert found["jieneng_alarms_open{level=notice}"] == found["jieneng_edge_meters_silent{edge=north}"] == 1
    assert not [name for name in found if "kitchen" in name]


async def test_each_figure_is_named_as_prometheus_names_them(told: str) -> None:
    families = list(text_string_to_metric_families(told))
    own = [family for family in families if not family.name.startswith("process_")]

    assert [family.name for family in own if not family.name.startswith("jieneng_")] == []
    assert [family.name for family in families if not family.documentation] == []
    assert len({family.name for family in families}) == len(families)


async def test_what_may_be_refused_and_lost_is_told_before_the_first_so_that_its_rise_is_seen(client: Client) -> None:
    found = await figures(client)

    assert found["jieneng_values_refused_total{reason=unknown meter}"] == 0
    assert found["jieneng_readings_lost_total{cause=full}"] == 0
