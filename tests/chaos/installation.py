"""A whole installation as real processes: meters, edge, broker, gateway."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import yaml

from adapters.broker_nats import answers, broker_command
from benchmarks.parts import mosquitto_binary
from tests.chaos.cable import Cable, laid
from tests.chaos.meters import PROFILE, QUANTITIES, journal, meter_id
from tests.chaos.numbers import Reading, Verdict, in_outbox, in_store, judged, refused, set_aside
from tests.chaos.part import Part
from tests.journeys.campus import get, until
from tests.real_parts import free_port, free_ports

EDGE = "north"
BrokerKind = Literal["mosquitto", "embedded"]

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
persistence true
persistence_location {folder}/
autosave_interval 1
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """How large an installation is, by which clocks it runs, and which folders lie elsewhere."""

    lines: int = 2
    units: int = 4
    every: str = "200ms"
    broker: BrokerKind = "mosquitto"
    edge_clock: str = "system"
    gateway_clock: str = "system"
    edge_data: Path | None = None
    gateway_data: Path | None = None


class Installation:
    """Everything of one site; see `installed`."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.folder, self.layout = folder, layout
        self.cable: Cable
        self._first = free_ports(layout.lines)
        self.port, self.broker_port, self.cable_port = free_port(), free_port(), free_port()
        self.journal = folder / "served.txt"
        self.edge_data = layout.edge_data or folder / "edge"
        self.gateway_data = layout.gateway_data or folder / "gateway"
        self.broker_data = folder / "broker"
        self.outbox = self.edge_data / "outbox" / f"{EDGE}.sqlite"
        self.edge_clock, self.gateway_clock = layout.edge_clock, layout.gateway_clock
        self._site = folder / "site.yaml"
        self._write_site()
        self.taken: set[Reading] = set()
        self.meters = Part("meters", self._meters, folder / "meters.log", lambda: self.meters.said("listening"))
        self.edge = Part("edge", self._edge, folder / "edge.log", lambda: self.edge.said("edge.started"))
        self.broker = Part("broker", self._broker, folder / "broker.log", lambda: answers(self.broker_port))
        self.gateway = Part("gateway", self._gateway, folder / "gateway.log", self._gateway_is_up)

    def _write_site(self) -> None:
        lines = range(self._first, self._first + self.layout.lines)
        site = {
            "site": "chaos",
            "name": {"zh": "试验", "en": "Trial"},
            "zone": "Asia/Shanghai",
            # A slow machine is not to lose answers by being slow.
            "lines": [{"id": f"line-{port}", "address": f"tcp://127.0.0.1:{port}", "timeout": "30s"} for port in lines],
            "meters": [
                {
                    "id": meter_id(port, unit),
                    "name": {"zh": "表", "en": "Meter"},
                    "medium": "electricity",
                    "profile": PROFILE,
                    "line": f"line-{port}",
                    "unit": unit,
                    "every": self.layout.every,
                    "read": list(QUANTITIES),
                }
                for port in lines
                for unit in range(1, self.layout.units + 1)
            ],
        }
        self._site.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")

    def _meters(self) -> list[str]:
        ports = [str(self._first + i) for i in range(self.layout.lines)]
        given = ["--ports", *ports, "--units", str(self.layout.units), "--journal", str(self.journal)]
        return [sys.executable, "-m", "tests.chaos.meters", *given]

    def _edge(self) -> list[str]:
        bus, clock = f"mqtt://127.0.0.1:{self.cable_port}", self.edge_clock
        given = ["--site", str(self._site), "--data", str(self.edge_data), "--edge", EDGE, "--bus", bus]
        return [sys.executable, "-m", "jieneng", "edge", *given, "--clock", clock]

    def _gateway(self) -> list[str]:
        bus, clock = f"mqtt://127.0.0.1:{self.broker_port}", self.gateway_clock
        given = ["--site", str(self._site), "--data", str(self.gateway_data), "--accounts", "off"]
        given += ["--listen", f"127.0.0.1:{self.port}", "--bus", bus]
        return [sys.executable, "-m", "jieneng", "gateway", *given, "--clock", clock]

    def _broker(self) -> list[str]:
        if self.layout.broker == "embedded":
            return broker_command(self.broker_data, self.broker_port)
        self.broker_data.mkdir(parents=True, exist_ok=True)
        # As root it would change to a user that may not write here.
        as_root = "user root\n" if os.getuid() == 0 else ""
        configuration = self.broker_data / "mosquitto.conf"
        configuration.write_text(_MOSQUITTO.format(port=self.broker_port, folder=self.broker_data) + as_root)
        binary = mosquitto_binary()
        assert binary is not None
        return [binary, "-c", str(configuration)]

    def _gateway_is_up(self) -> bool:
        return get(self.port, "/health") is not None

    @property
    def parts(self) -> list[Part]:
        return [self.edge, self.broker, self.gateway]

    def up(self, *parts: Part, within_s: float = 300.0) -> None:
        """Wait until parts work; all of them if none is named. One that ended is an error."""
        for part in parts or (self.meters, self.broker, self.gateway, self.edge):
            until(partial(_is_up_or_ended, part), part.name, within_s=within_s)
            assert part.runs, f"{part.name} ended; see {part.log}"

    def kill(self, part: Part) -> None:
        """Kill it; of an edge what its disk holds is noted before it may be sent and forgotten."""
        part.kill()
        if part is self.edge:
            self.note_outbox()

    def note_outbox(self) -> None:
        self.taken |= in_outbox(self.outbox, self.folder / "aside")

    def lose_broker_data(self) -> None:
        """All that a broker that is not running has kept."""
        shutil.rmtree(self.broker_data)

    @property
    def served(self) -> int:
        """How many answers the meters have given."""
        return self.journal.read_bytes().count(b"\n") if self.journal.exists() else 0

    def await_readings(self, more: int, *, within_s: float = 300.0) -> None:
        """Wait until the meters have given so many answers more."""
        goal = self.served + more
        until(lambda: self.served >= goal, f"{more} readings more", within_s=within_s)

    @property
    def waiting(self) -> int:
        """Batches in the outbox; it is looked at while the edge uses it."""
        address = f"file:{self.outbox}?mode=ro"
        with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True, timeout=10)) as outbox:
            return int(outbox.execute("SELECT count(*) FROM batches").fetchone()[0])
        return -1

    def settle(self, *, within_s: float = 300.0) -> None:
        """Let the meters be silent, and wait until the gateway has all that the edge has."""
        self.up()
        # From here on no part dies: what is answered now has to arrive, and the last of it shows that all has.
        self.await_readings(4 * self.layout.lines * self.layout.units)
        self.meters.stop()
        last = {each.connection[0]: (each.meter, each.number) for each in journal(self.journal)}

        def is_out() -> bool:
            return set(last.values()) <= {(r.meter, r.number) for r in tuple(self.cable.published)}

        until(is_out, "the last readings", within_s=within_s)
        until(lambda: self.waiting == 0, "an empty outbox", within_s=within_s)

    @property
    def all_taken(self) -> set[Reading]:
        """What the edge had on its disk when it was looked at, and what it has let out, which was there before."""
        return self.taken | self.cable.published

    def verdict(self, by_edge: Callable[[float], float] | None = lambda at_ms: at_ms) -> Verdict:
        """End all parts, and compare; `by_edge` as in `judged`."""
        for part in (self.edge, self.gateway, self.broker, self.meters):
            part.stop()
        self.note_outbox()
        rows = in_store(self.gateway_data / "readings.duckdb")
        verdict = judged(list(journal(self.journal)), self.all_taken, rows, by_edge)
        print(f"{verdict.figures}, refused {self.refused()}")
        return verdict

    def refused(self) -> dict[str, int]:
        return refused(self.gateway_data / "quarantine.sqlite")

    def set_aside(self) -> dict[tuple[str, int], str]:
        return set_aside(self.gateway_data / "quarantine.sqlite")


def _is_up_or_ended(part: Part) -> bool:
    return part.is_up() or not part.runs


@contextmanager
def installed(folder: Path, layout: Layout | None = None) -> Iterator[Installation]:
    """An installation, all of it running; killed in the end."""
    made = Installation(folder, layout or Layout())
    with laid(made.cable_port, made.broker_port) as cable:
        made.cable = cable
        parts = [made.meters, made.broker, made.gateway, made.edge]
        try:
            for part in parts:
                part.start()
            made.up()
            yield made
        finally:
            for part in reversed(parts):
                if part.runs:
                    part.kill()
