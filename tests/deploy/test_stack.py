"""The stack of docker-compose.yml as processes: the same commands, settings and files, other folders and ports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from gateway.backups.newest import BACKED_UP
from tests.adapters.brokers import await_port
from tests.deploy.stack import ROOT, STACKS, resolved
from tests.postgresql import PostgresServer, postgres_server
from tests.real_parts import free_port, free_ports, program
from tests.victoria import VictoriaServer, victoria_server

PATIENCE_S = 240
# Many processes start.
pytestmark = pytest.mark.timeout(900)
# Whose data folder is that of the gateway.
SHARING = ("init", "gateway", "api-1", "api-2", "ingest-1", "ingest-2", "jobs-1", "jobs-2")
LINES = 8
PAGE = ROOT / "docs" / "deploying.md"
_CAME = "/api/v1/export?match[]=jieneng_value"


class Stack:
    """Its services, run in one folder in place of containers."""

    def __init__(self, folder: Path, postgres: PostgresServer, victoria: VictoriaServer, running: ExitStack) -> None:
        self.folder, self.postgres, self.victoria, self._running = folder, postgres, victoria, running
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.services: dict[str, Any] = resolved(STACKS["roles"])["services"]
        # One process that does all, in place of the first of the API.
        self.services |= {"gateway": resolved()["services"]["gateway"], "api-1": self.services["gateway"]}
        self.ports = {name: free_port() for name in self.services}
        self.broker, self.meters = free_ports(2), free_ports(LINES)

    def here(self, text: str, service: str) -> str:
        """What stands in the file, with the folders and ports of this test."""
        names = {
            "/var/lib/jieneng": f"{self.folder}/{'gateway' if service in SHARING else service}",
            "/etc/jieneng/gateway.yaml": f"{self.folder}/{service}.yaml",
            "/etc/jieneng/scrape.yml": f"{self.folder}/scrape.yml",
            "/etc/jieneng/alerts.yml": f"{ROOT}/config/prometheus/alerts.yml",
            "/etc/jieneng/notifiers.yml": f"{ROOT}/deploy/compose/notifiers.yml",
            "/etc/jieneng/site": f"{self.folder}/site",
            "/prepare": f"{self.folder}/prepare",
            "/run/jieneng": f"{self.folder}/prepare",
            "mosquitto:8883": f"localhost:{self.broker}",
            "victoria:8428": f"127.0.0.1:{self.victoria.port}",
            "postgres:5432": f"127.0.0.1:{self.postgres.port}",
            "0.0.0.0:8080": f"127.0.0.1:{self.ports[service]}",
            "127.0.0.1:8080": f"127.0.0.1:{self.ports[service]}",
            "0.0.0.0:9105": f"127.0.0.1:{self.ports['edge']}",
            "127.0.0.1:9105": f"127.0.0.1:{self.ports['edge']}",
            "127.0.0.1:8429": f"127.0.0.1:{self.ports['vmagent']}",
            "127.0.0.1:8880": f"127.0.0.1:{self.ports['vmalert']}",
            "gateway:8080": f"127.0.0.1:{self.ports['gateway']}",
            "simulator:9105": f"127.0.0.1:{self.ports['edge']}",
            "/tmp/vmagent": f"{self.folder}/vmagent",  # in its container
            "scrape_interval: 30s": "scrape_interval: 1s",
            "15021": str(self.meters),
        }
        for there, ours in names.items():
            text = text.replace(there, ours)
        return text

    def lay_out(self) -> None:
        """The files that the services mount."""
        (self.folder / "site").mkdir()
        for name in ("demo.yaml", "demo-campus.yaml"):
            text = (ROOT / "config" / name).read_text(encoding="utf-8")
            for i in range(LINES):
                text = text.replace(f"127.0.0.1:{15021 + i}", f"127.0.0.1:{self.meters + i}")
            (self.folder / "site" / name).write_text(text, encoding="utf-8")
        folder = ROOT / "deploy" / "compose"
        settings = (folder / "gateway.yaml").read_text(encoding="utf-8")
        for name in self.services:
            (self.folder / f"{name}.yaml").write_text(self.here(settings, name), encoding="utf-8")
        scrape = self.here((folder / "scrape.yml").read_text(encoding="utf-8"), "vmagent")
        scrape = scrape.replace("/run/jieneng", f"{self.folder}/prepare")
        (self.folder / "scrape.yml").write_text(scrape, encoding="utf-8")

    def command(self, service: str) -> tuple[list[str], dict[str, str]]:
        found = self.services[service]
        given = {key: self.here(value, service) for key, value in found.get("environment", {}).items()}
        given |= {"JIENENG_GRAFANA_SHOW_HIDDEN": "false"} if service == "dashboards" else {}
        ours = [sys.executable, "-m", "jieneng"] if found["image"].startswith("jieneng:") else [program(service)]
        return [*ours, *(self.here(one, service) for one in found["command"])], given

    def run(self, service: str, *without: str) -> str:
        """To its end; options that begin like these are left out."""
        command, given = self.command(service)
        command = [word for word in command if not word.startswith(without or ("\0",))]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | given, timeout=240)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def start(self, service: str, *more: str) -> subprocess.Popen[bytes]:
        command, given = self.command(service)
        return self.started(service, [*command, *more], given)

    def started(self, name: str, command: list[str], given: dict[str, str]) -> subprocess.Popen[bytes]:
        log = self._running.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=os.environ | given)

        self._processes[name] = process

        def end() -> None:
            process.terminate()
            try:
                process.wait(240)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self._running.callback(end)
        return process

    def mosquitto(self) -> None:
        """On the file that the service mounts."""
        text = (ROOT / "config" / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
        (self.folder / "mosquitto").mkdir()
        text = text.replace("/etc/mosquitto/jieneng", f"{self.folder}/gateway/identities/mosquitto")
        text = text.replace("/var/lib/mosquitto", f"{self.folder}/mosquitto")
        text = text.replace("listener 8883", f"listener {self.broker} 127.0.0.1")
        text = text.replace("listener 8884", f"listener {self.broker + 1} 127.0.0.1")
        # As root it would change to a user that may not read here.
        text += "user root\n" if os.getuid() == 0 else ""
        (self.folder / "mosquitto.conf").write_text(text)
        binary = program("mosquitto", "/usr/sbin/mosquitto")
        await_port(self.started("mosquitto", [binary, "-c", f"{self.folder}/mosquitto.conf"], {}), self.broker + 1)

    def make_database(self) -> None:
        """As the image of PostgreSQL does it, by the script that it mounts."""
        self.postgres.sql("CREATE ROLE postgres SUPERUSER LOGIN")
        socket = {"PGHOST": str(self.postgres.folder), "PGPORT": str(self.postgres.port)}
        as_postgres = os.environ | socket | {"POSTGRES_USER": "postgres"}
        # The server of the tests has a superuser of our name.
        rename = ["psql", "-qU", "postgres", "-d", "postgres", "-c", "ALTER ROLE jieneng RENAME TO tester"]
        subprocess.run(rename, env=as_postgres, check=True, timeout=240)
        files = {"JIENENG_DATABASE_PASSWORD_FILE": "database/password"}
        files["JIENENG_READER_PASSWORD_FILE"] = "reader/jieneng-reader"
        passwords = {name: str(self.folder / "prepare" / file) for name, file in files.items()}
        script = [str(ROOT / "deploy" / "compose" / "database.sh")]
        subprocess.run(script, env=as_postgres | passwords, check=True, timeout=240)

    def asked(self, user: str, password_file: str, statement: str) -> str:
        """What PostgreSQL answers to one of its users, who comes by his password."""
        at = ["-h", "127.0.0.1", "-p", str(self.postgres.port), "-U", user, "-d", "jieneng"]
        password = (self.folder / "prepare" / password_file).read_text()
        command = ["psql", "-qAt", *at, "-c", statement]
        given = os.environ | {"PGPASSWORD": password}
        return subprocess.run(command, env=given, check=True, capture_output=True, text=True, timeout=240).stdout

    def is_well(self, service: str) -> bool:
        """What the health check of the service says."""
        _, binary, *_, code = self.services[service]["healthcheck"]["test"]
        if binary == "wget":
            code = f"from urllib.request import urlopen; urlopen('{code}', timeout=4)"
        asked = [sys.executable, *(self.here(one, service) for one in ("-c", code))]
        return subprocess.run(asked, capture_output=True, timeout=240).returncode == 0

    def series(self, *names: str) -> list[dict[str, Any]]:
        """The series of these names, each with all its values."""
        asked = "&".join(f"match[]={name}" for name in names)
        with urlopen(f"http://127.0.0.1:{self.victoria.port}/api/v1/export?{asked}", timeout=240) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def stored(self) -> int:
        """How many samples of readings there are."""
        self.victoria.show_all()
        return sum(len(one["values"]) for one in self.series("jieneng_value"))

    def end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.terminate()
        process.wait(240)

    def until(self, what: Callable[[], bool], name: str) -> None:
        began = time.monotonic()
        while not what():
            log = (self.folder / f"{name}.log").read_text(encoding="utf-8")
            assert time.monotonic() - began < PATIENCE_S, log[-3000:]
            time.sleep(0.2)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with postgres_server() as postgres, victoria_server() as victoria, ExitStack() as running:
        made = Stack(folder, postgres, victoria, running)
        made.lay_out()
        made.run("init")
        yield made


def test_a_reading_goes_from_a_simulated_meter_to_the_store(stack: Stack) -> None:
    stack.mosquitto()
    stack.make_database()
    # The campus of the image, on other ports.
    stack.start("simulator", "--site", f"{stack.folder}/site/demo.yaml")
    assert not stack.is_well("gateway")
    stack.start("gateway")
    stack.until(lambda: stack.is_well("simulator"), "simulator")
    stack.start("edge")
    stack.until(lambda: stack.is_well("gateway"), "gateway")

    def came() -> bool:
        stack.victoria.show_all()
        with urlopen(f"http://127.0.0.1:{stack.victoria.port}{_CAME}", timeout=240) as answer:
            return bool(answer.read())

    stack.until(came, "edge")
    log = (stack.folder / "gateway.log").read_text(encoding="utf-8")
    assert "accounts.first_link" in log
    secrets = [*(stack.folder / "prepare").rglob("password"), stack.folder / "prepare" / "reader" / "jieneng-reader"]
    secrets.append(stack.folder / "prepare" / "metrics" / "token")
    assert len(secrets) == 5
    assert not [secret for secret in secrets if secret.read_text() in log]


def test_an_edge_elsewhere_is_enrolled_beside_the_running_gateway(stack: Stack) -> None:
    """As `docker compose exec gateway jieneng edge enroll` does it: the broker's files and the audit log follow."""
    _, given = stack.command("gateway")
    words = ["edge", "enroll", "north", "--broker", "gateway.example:8883", "--into", str(stack.folder / "north")]

    ran = subprocess.run(
        [sys.executable, "-m", "jieneng", *words], capture_output=True, text=True, cwd=ROOT, env=os.environ | given
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "user north" in (stack.folder / "gateway" / "identities" / "mosquitto" / "acl").read_text()
    logged = "SELECT count(*) FROM audit WHERE subject = 'edge/north'"
    assert stack.asked("jieneng", "database/password", logged).strip() == "1"


def test_the_stack_watches_itself(stack: Stack) -> None:
    """Figures of gateway and edge are fetched by the token that `init` made, and the rules look at them."""
    for name in ("vmagent", "vmalert"):
        stack.start(name)
        stack.until(lambda name=name: stack.is_well(name), name)  # type: ignore[misc]
    assert stack.is_well("edge")

    def fetched() -> bool:
        stack.victoria.show_all()
        found = stack.series("jieneng_values_stored_total", "jieneng_outbox_batches", "up")
        return len(found) == 4 and all(one["metric"]["job"].startswith("jieneng") for one in found)

    stack.until(fetched, "vmagent")
    assert {one["metric"]["job"]: one["values"][-1] for one in stack.series("up")} == {"jieneng": 1, "jieneng-edge": 1}


def test_dashboards_are_made_out_of_the_site_and_the_reader_may_read_what_they_ask(stack: Stack) -> None:
    told = stack.run("dashboards", "--every")
    provisioning = stack.folder / "dashboards" / "provisioning"
    named = yaml.safe_load((provisioning / "datasources" / "jieneng.yaml").read_text())["datasources"]

    assert "dashboard" in told
    assert len(list((provisioning / "dashboards" / "jieneng").glob("*.json"))) > 3
    assert {one["uid"] for one in named} == {f"jieneng-{of}" for of in ("ledger", "records", "readings", "metrics")}
    mounted = stack.services["grafana"]["environment"]["GF_PATHS_PROVISIONING"]
    [provider] = yaml.safe_load((provisioning / "dashboards" / "jieneng.yaml").read_text())["providers"]
    assert provider["options"]["path"] == f"{mounted}/dashboards/jieneng"
    secrets = {m["target"] for m in stack.services["grafana"]["volumes"] if m["source"] == "reader-password"}
    [file] = {str(v) for one in named for v in one.get("secureJsonData", {}).values()}
    assert file.startswith(f"$__file{{{secrets.pop()}/")
    stack.asked("jieneng_reader", "reader/jieneng-reader", "SELECT count(*) FROM ledger.hours")
    assert stack.is_well("dashboards")


def test_each_role_runs_by_the_command_of_its_service_and_tells_figures_for_the_token(stack: Stack) -> None:
    stack.end("gateway")
    stored = stack.stored()
    for name in ("api-1", "ingest-1", "jobs-1"):
        stack.start(name)
    for name in ("api-1", "ingest-1", "jobs-1"):
        stack.until(lambda name=name: stack.is_well(name), name)  # type: ignore[misc]

    stack.until(lambda: stack.stored() > stored, "ingest-1")
    token = (stack.folder / "prepare" / "metrics" / "token").read_text()
    for name in ("api-1", "ingest-1", "jobs-1"):
        asked = Request(f"http://127.0.0.1:{stack.ports[name]}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urlopen(asked, timeout=240) as answer:
            assert b"jieneng_build_info" in answer.read(), name


def test_the_backup_of_the_page_is_made_in_the_container_of_the_gateway_and_its_age_is_told(stack: Stack) -> None:
    [words] = re.findall(r"docker compose exec gateway (jieneng backup [^`]+)`", PAGE.read_text(encoding="utf-8"))
    command = [sys.executable, "-m", *(stack.here(word, "gateway") for word in words.split())]
    given = os.environ | stack.command("gateway")[1]

    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=given, timeout=240)

    assert ran.returncode == 0, ran.stderr
    assert "rows of records" in ran.stdout
    assert [one.suffix for one in (stack.folder / "gateway" / "backups").glob("*.tar")] == [".tar"]
    assert (stack.folder / "gateway" / BACKED_UP).exists()


def test_a_second_start_makes_nothing_anew(stack: Stack) -> None:
    told = stack.run("init").splitlines()

    assert [line.rpartition(": ")[2] for line in told if "identities" not in line] == ["is there"] * 6


def test_users_of_the_database_have_no_special_rights_and_the_reader_has_no_whole_table_of_records(
    stack: Stack,
) -> None:
    owner = stack.asked("jieneng", "database/password", "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles "
                        "WHERE rolname LIKE 'jieneng%'")  # fmt: skip
    readable = "SELECT count(*) FROM pg_tables WHERE tablename = 'meters' AND has_table_privilege(format('%I.%I', "
    readable += "schemaname, tablename), 'SELECT')"

    assert owner.split() == ["f|f|f", "f|f|f"]
    assert stack.asked("jieneng", "database/password", readable).strip() == "1"
    assert stack.asked("jieneng_reader", "reader/jieneng-reader", readable).strip() == "0"
