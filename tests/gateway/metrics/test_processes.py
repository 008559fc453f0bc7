"""What a process of several tells Prometheus and watchdogs: of itself, and of all."""

from __future__ import annotations

import dataclasses

import msgspec
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from gateway.app import application
from gateway.process.others import Processes
from gateway.services import Services
from tests.gateway.metrics.test_exposition import figures
from tests.gateway.process.test_others import state


async def test_a_process_without_the_api_tells_how_it_is_and_answers_nothing_else(services: Services) -> None:
    async with TestClient(TestServer(application(services, whole=False))) as alone:
        assert (await (await alone.get("/health")).json())["status"] == "ok"
        assert "jieneng_build_info" in await (await alone.get("/metrics")).text()
        assert {(await alone.get(path)).status for path in ("/", "/api/v1/overview", "/api/v1/live")} == {404}


async def test_each_of_several_processes_is_told(services: Services) -> None:
    processes = Processes(services.clock, "api-1", alone=False)
    processes.mine = state("api")
    processes.take("jobs-1", msgspec.json.encode(replace(state("jobs"), ledger_waiting_s=2.5)))
    processes.take("ingest-1", msgspec.json.encode(replace(state("ingest", "jobs"), state="gone")))
    async with TestClient(TestServer(application(dataclasses.replace(services, processes=processes)))) as client:
        found = await figures(client)
        health = await (await client.get("/health")).json()

    assert {name: value for name, value in found.items() if name.startswith("jieneng_process_")} == {
        "jieneng_process_up{process=api-1}{roles=api}": 1.0,
        "jieneng_process_up{process=jobs-1}{roles=jobs}": 1.0,
        "jieneng_process_up{process=ingest-1}{roles=ingest,jobs}": 0.0,
        "jieneng_process_ledger_waiting_seconds{process=jobs-1}": 2.5,
    }
    assert {one["process"]: one["state"] for one in health["processes"]} == {
        "api-1": "running",
        "ingest-1": "gone",
        "jobs-1": "running",
    }
