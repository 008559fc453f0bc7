"""InfluxDB 2 for the tests: a real server where one is named, and a stub of what its HTTP API documents.

The stub is not InfluxDB. It keeps points by series, answers exactly the queries that `adapters.influx_series` asks, and
the errors that InfluxDB's documentation names, with its words. What a real server does is known only by running the
tests with JIENENG_TEST_INFLUX_URL (see docs/stores.md).
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

TOKEN, ORG, BUCKET = "a-token-for-tests", "stub org", "readings"
Series = tuple[str, str, str, str]

# How 2.7.12 says it, and how earlier ones do.
WORDS_OF_DROP = (
    "partial write: dropped {n} points outside retention policy of duration 168h0m0s - oldest point {line} at "
    "2025-08-26T03:26:38Z dropped because it violates a Retention Policy Lower Bound at 2025-08-29T09:04:10.318871Z, "
    "newest point {line} at 2025-08-26T03:26:38Z dropped because it violates a Retention Policy Lower Bound at "
    "2025-08-29T09:04:10.318871Z dropped={n} for database: 0123456789abcdef for retention policy: autogen",
    "partial write: points beyond retention policy dropped={n}",
)
_HEAD = re.compile(
    r'from\(bucket: "(?P<bucket>[^"]*)"\) \|> range\(start: (?P<start>[^,]+), stop: (?P<stop>[^)]+)\)'
    r' \|> filter\(fn: \(r\) => r\._measurement == "(?P<name>[^"]*)"(?P<which> and \(.*\))?\)'
    r'(?P<last> \|> last\(\))? \|> keep\(columns: \["_time", "_value", "_field", "meter", "quantity"\]\)'
)
_POINT = re.compile(r'\(r\.meter == "([^"]*)" and r\.quantity == "([^"]*)"\)')
_LINE = re.compile(r"^(?P<series>(?:\\.|[^ \\])+) (?P<fields>[^ ]+) (?P<t>\d+)$")
# Of what is later InfluxDB says that it is outside its range: nanoseconds in 64 bits.
_LAST_MS = (2**63 - 1) // 1_000_000
_FLOAT = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?")


class InfluxServer:
    """Where a server is, and a store of its own on it."""

    def __init__(self, url: str, org: str, bucket: str, token: str, folder: Path) -> None:
        self.url, self.org, self.bucket, self.token = url, org, bucket, token
        self.token_file = folder / f"token-{uuid4().hex}"
        self.token_file.write_text(token + "\n")
        self._names, self._begin = count(), uuid4().hex[:8]

    def address(self, name: str | None = None, bucket: str | None = None) -> str:
        org = self.org.replace(" ", "%20")
        where = f"influx+{self.url}/{org}/{bucket or self.bucket}"
        return f"{where}?token_file={self.token_file}&name={name or self.new_name()}"

    def new_name(self) -> str:
        return f"store{self._begin}x{next(self._names)}"


@contextmanager
def real_influx() -> Iterator[InfluxServer]:
    """The server that the environment names, with a bucket of its own that is removed at the end; else skipped."""
    url, token, org = (os.environ.get(f"JIENENG_TEST_INFLUX_{name}", "") for name in ("URL", "TOKEN", "ORG"))
    if not (url and token and org):
        pytest.skip("no InfluxDB is named: JIENENG_TEST_INFLUX_URL, JIENENG_TEST_INFLUX_TOKEN, JIENENG_TEST_INFLUX_ORG")
    from influxdb_client import InfluxDBClient

    name = f"jieneng-test-{uuid4().hex[:8]}"
    with (
        tempfile.TemporaryDirectory(prefix="jieneng-influx-") as folder,
        InfluxDBClient(url, token=token, org=org) as client,
    ):
        client.buckets_api().create_bucket(bucket_name=name, org=org)
        try:
            yield InfluxServer(url.rstrip("/"), org, name, token, Path(folder))
        finally:
            for there in client.buckets_api().find_buckets(org=org, limit=100).buckets:
                if there.name.startswith(name):
                    client.buckets_api().delete_bucket(there)
            for task in client.tasks_api().find_tasks(org=org, limit=500):
                if name in task.name:
                    client.tasks_api().delete_task(task.id)


# -- the stub ----------------------------------------------------------------------------------------------------------


@dataclass
class Trouble:
    """An answer that stands in place of the right one."""

    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)


class StubOfInflux(InfluxServer):
    """A stub of the documented HTTP API of InfluxDB 2, on a port of 127.0.0.1; not InfluxDB."""

    def __init__(self, folder: Path) -> None:
        super().__init__("", ORG, BUCKET, TOKEN, folder)
        self.points: dict[str, dict[Series, dict[int, float]]] = {BUCKET: {}}
        # What can go wrong: answers that come next (None is the right one), points that are too old, or unreadable.
        self.troubles: deque[Trouble | None] = deque()
        self.kept_from_ms, self.poison = 0, ""
        self.words_of_drop = WORDS_OF_DROP[0]
        self.largest_body = 50_000_000
        self.cut_off, self.hangs_up = False, False
        # What it answers to any question in place of what is there.
        self.says: bytes | None = None
        # What was asked.
        self.writes: list[int] = []
        self.queries: list[str] = []
        self.buckets: list[dict[str, Any]] = [{"id": "b0", "orgID": "o0", "name": BUCKET, "retentionRules": []}]
        self.tasks: list[dict[str, Any]] = []
        self.changes: list[str] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**30, middlewares=[self._at_the_door])
        app.router.add_post("/api/v2/write", self._write)
        app.router.add_post("/api/v2/query", self._query)
        app.router.add_get("/api/v2/orgs", self._orgs)
        app.router.add_get("/api/v2/buckets", self._find_buckets)
        app.router.add_post("/api/v2/buckets", self._make_bucket)
        app.router.add_patch("/api/v2/buckets/{id}", self._change_bucket)
        app.router.add_get("/api/v2/tasks", self._find_tasks)
        app.router.add_post("/api/v2/tasks", self._make_task)
        app.router.add_patch("/api/v2/tasks/{id}", self._change_task)
        return app

    @web.middleware
    async def _at_the_door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Token {self.token}":
            return _error(401, "unauthorized", "unauthorized access")
        if self.troubles:
            trouble = self.troubles.popleft()
            if trouble is not None:
                return _error(trouble.status, "trouble", trouble.message, trouble.headers)
        answer: web.StreamResponse = await handler(request)
        return answer

    # -- writing: all of a body that cannot be parsed is refused, of one that can what is kept no longer ---------------

    async def _write(self, request: web.Request) -> web.Response:
        if request.query["org"] != self.org or request.query["bucket"] not in self.points:
            return _error(404, "not found", f'bucket "{request.query["bucket"]}" not found')
        assert request.query["precision"] == "ms"
        body = await request.read()
        if len(body) > self.largest_body:
            return _error(413, "request too large", "unable to read data: request too large")
        lines = body.decode().split("\n")
        self.writes.append(len(lines))
        try:
            points = [self._parsed(line) for line in lines]
        except ValueError as error:
            return _error(400, "invalid", f"unable to parse '{error}': bad timestamp")
        kept = [point for point in points if point[1] >= self.kept_from_ms]
        for series, t_ms, fields in kept:
            for name, value in fields.items():
                self.points[request.query["bucket"]].setdefault((*series, name), {})[t_ms] = value
        if self.hangs_up and request.transport is not None:
            request.transport.close()
        if len(kept) < len(points):
            dropped = len(points) - len(kept)
            told = self.words_of_drop.format(n=dropped, line=",".join(points[0][0]))
            return _error(422, "unprocessable entity", f"failure writing points to database: {told}")
        return web.Response(status=204)

    def _parsed(self, line: str) -> tuple[tuple[str, str, str], int, dict[str, float]]:
        found = _LINE.match(line)
        if found is None or (self.poison and self.poison in line):
            raise ValueError(line)
        if int(found["t"]) > _LAST_MS:
            raise ValueError(f"{line}': time outside range -9223372036854775806 - 9223372036854775806")
        measurement, *tags = re.split(r"(?<!\\),", found["series"])
        of = dict(re.split(r"(?<!\\)=", tag) for tag in tags)
        fields = dict(pair.split("=") for pair in found["fields"].split(","))
        if not all(_FLOAT.fullmatch(value) for value in fields.values()):
            raise ValueError(line)
        plain = (re.sub(r"\\(.)", r"\1", of[tag]) for tag in ("meter", "quantity"))
        return (measurement, *plain), int(found["t"]), {k: float(v) for k, v in fields.items()}  # type: ignore[return-value]

    # -- reading -------------------------------------------------------------------------------------------------------

    async def _query(self, request: web.Request) -> web.Response:
        flux = (await request.json())["query"]
        self.queries.append(flux)
        if self.says is not None:
            return web.Response(body=self.says, content_type="text/csv", charset="utf-8")
        asked = _HEAD.fullmatch(flux)
        if asked is None:
            return _error(400, "invalid", "the stub answers what the adapter asks, and this it does not")
        if asked["bucket"] not in self.points:
            return _error(404, "not found", f'could not find bucket "{asked["bucket"]}"')
        points = set(_POINT.findall(asked["which"] or ""))
        start, stop = (_ms(asked[name]) for name in ("start", "stop"))
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        of = self.points[asked["bucket"]]
        for table, ((name, meter, quantity, column), samples) in enumerate(sorted(of.items())):
            if name != asked["name"] or (asked["which"] and (meter, quantity) not in points):
                continue
            times = sorted(t for t in samples if start <= t < stop)
            if not out.tell():
                _annotate(writer)
            for t_ms in times[-1:] if asked["last"] else times:
                writer.writerow(["", "", table, _rfc3339(t_ms), _go(samples[t_ms]), column, meter, quantity])
        if self.cut_off:
            out.write("\r\n#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n")
            out.write(",error,reference\r\n,memory allocation limit reached,576\r\n")
        return web.Response(body=out.getvalue().encode(), content_type="text/csv", charset="utf-8")

    # -- what `jieneng setup` sees -------------------------------------------------------------------------------------

    async def _orgs(self, request: web.Request) -> web.Response:
        if request.query.get("org") != self.org:
            return _error(404, "not found", f'organization name "{request.query.get("org")}" not found')
        return web.json_response({"orgs": [{"id": "o0", "name": self.org}]})

    async def _find_buckets(self, request: web.Request) -> web.Response:
        return web.json_response({"buckets": [b for b in self.buckets if b["name"] == request.query["name"]]})

    async def _make_bucket(self, request: web.Request) -> web.Response:
        made = {"id": f"b{len(self.buckets)}", **await request.json()}
        self.buckets.append(made)
        self.points[made["name"]] = {}
        self.changes.append(f"bucket {made['name']}")
        return web.json_response(made, status=201)

    async def _change_bucket(self, request: web.Request) -> web.Response:
        [bucket] = [b for b in self.buckets if b["id"] == request.match_info["id"]]
        bucket |= await request.json()
        self.changes.append(f"bucket {bucket['name']} changed")
        return web.json_response(bucket)

    async def _find_tasks(self, request: web.Request) -> web.Response:
        return web.json_response({"tasks": [t for t in self.tasks if t["name"] == request.query["name"]]})

    async def _make_task(self, request: web.Request) -> web.Response:
        asked = await request.json()
        [name] = re.findall(r'option task = \{name: "([^"]*)"', asked["flux"])
        self.tasks.append({"id": f"t{len(self.tasks)}", "name": name, **asked})
        self.changes.append(f"task {name}")
        return web.json_response(self.tasks[-1], status=201)

    async def _change_task(self, request: web.Request) -> web.Response:
        [task] = [t for t in self.tasks if t["id"] == request.match_info["id"]]
        task |= await request.json()
        self.changes.append(f"task {task['name']} changed")
        return web.json_response(task)


@contextmanager
def stub_of_influx() -> Iterator[StubOfInflux]:
    """A stub, served by a thread of its own."""
    with tempfile.TemporaryDirectory(prefix="jieneng-influx-") as folder:
        stub, loop, ready = StubOfInflux(Path(folder)), asyncio.new_event_loop(), threading.Event()

        async def serve() -> None:
            runner = web.AppRunner(stub.app(), access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            ready.set()
            await ended.wait()
            await runner.cleanup()

        ended = asyncio.Event()
        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        assert ready.wait(120)
        try:
            yield stub
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(120)
            loop.close()


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = json.dumps({"code": code, "message": message})
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)


def _annotate(writer: Any) -> None:
    writer.writerow(["#datatype", "string", "long", "dateTime:RFC3339", "double", "string", "string", "string"])
    writer.writerow(["#group", "false", "false", "false", "false", "true", "true", "true"])
    writer.writerow(["#default", "_result", "", "", "", "", "", ""])
    writer.writerow(["", "result", "table", "_time", "_value", "_field", "meter", "quantity"])


def _ms(instant: str) -> int:
    at = datetime.fromisoformat(instant)
    return (
        round(at.timestamp()) * 1000
        if at.microsecond == 0
        else int(at.timestamp() // 1) * 1000 + at.microsecond // 1000
    )


def _rfc3339(t_ms: int) -> str:
    """As Go writes it: no zeros at the end."""
    text = f"{datetime.fromtimestamp(t_ms // 1000, tz=UTC):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{t_ms % 1000:03}".rstrip("0").rstrip(".") + "Z" if t_ms % 1000 else text + "Z"


def _go(value: float) -> str:
    """As Go writes a double without an exponent, to the last bit."""
    return f"{Decimal(repr(value)):f}"
