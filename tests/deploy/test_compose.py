"""What docker-compose.yml promises: nothing secret in it, nothing open, nothing unpinned, nobody with rights."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from adapters.mqtt_address import MqttAddress
from adapters.postgres_address import PostgresAddress
from adapters.victoria_client import VictoriaAddress
from jieneng.settings import load_settings
from tests.deploy.stack import FILE, ROLES, ROOT, STACKS, compose, resolved

# Why nobody asks these how they are.
UNASKED = {"init": "does its work and ends", "influx-setup": "does its work and ends"}
OWN = "jieneng:0.1.0"
WORKERS = {"api-2", "ingest-1", "ingest-2", "jobs-1", "jobs-2"}
GATEWAYS = {"gateway", *WORKERS}
_ALONE = {
    "init", "mosquitto", "postgres", "victoria", "vmagent", "vmalert", "gateway", "dashboards", "grafana", "simulator",
    "edge",
}  # fmt: skip
SERVICES = {
    "one gateway": _ALONE,
    "roles": _ALONE | WORKERS | {"proxy"},
    "influx": _ALONE | {"influxdb", "influx-setup"},
    "roles and influx": _ALONE | WORKERS | {"proxy", "influxdb", "influx-setup"},
}
# Volumes that hold secrets: who mounts them besides `init`, and who of them may write there.
SECRETS: dict[str, tuple[set[str], set[str]]] = {
    "postgres-password": ({"postgres"}, set()),
    "database-password": ({"postgres", "dashboards", *GATEWAYS}, set()),
    "grafana-password": ({"grafana"}, set()),
    "reader-password": ({"postgres", "grafana"}, set()),
    "metrics-token": ({"vmagent", *GATEWAYS}, set()),
    "edge-identities": ({"edge"}, set()),
    "broker-files": ({"mosquitto", *GATEWAYS}, GATEWAYS),
    "gateway-data": (GATEWAYS, GATEWAYS),
    "influx-token": ({"influxdb", "influx-setup", *GATEWAYS}, set()),
    "influx-password": ({"influxdb"}, set()),
}


@pytest.fixture(scope="module", params=STACKS)
def name(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


@pytest.fixture(scope="module")
def stack(name: str) -> dict[str, Any]:
    return resolved(STACKS[name])


@pytest.fixture(scope="module")
def services(stack: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack["services"]
    return found


def mounts(service: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in service.get("volumes", []) if one["type"] == kind]


@pytest.mark.parametrize("which", STACKS)
def test_compose_takes_the_files_and_wonders_about_nothing(which: str) -> None:
    ran = compose("config", "--quiet", files=STACKS[which])

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_compose_would_tell_what_is_wrong(tmp_path: Path) -> None:
    """So that a green check is one."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(FILE.read_text().replace("condition: service_healthy", "condition: service_helthy"))

    ran = compose("config", "--quiet", files=[file])

    assert ran.returncode != 0
    assert "condition" in ran.stderr


def test_everything_that_was_asked_for_is_there(name: str, services: dict[str, Any]) -> None:
    assert set(services) == SERVICES[name]


def test_everybody_runs_without_rights(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["user"] == "10001:10001", name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not {"cap_add", "privileged", "devices", "pid", "ipc"} & service.keys(), name
        assert service.get("network_mode") in (None, "none", "service:simulator"), name


def test_nobody_can_take_the_whole_machine(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert 0 < int(service["mem_limit"]) <= 2 << 30, name
        assert 0 < service["pids_limit"] <= 256, name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_everybody_is_asked_how_he_is_or_there_is_a_reason(services: dict[str, Any]) -> None:
    for name, service in services.items():
        asked = service.get("healthcheck", {})
        assert asked.get("disable", not asked) == (name in UNASKED), name
        assert name in UNASKED or {"test", "interval", "timeout", "retries", "start_period"} <= asked.keys(), name


def test_images_are_pinned_by_their_whole_version(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.fullmatch(r"[a-z0-9/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"]), name
        assert "latest" not in service["image"], name
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert services["init"]["image"] == OWN == f"jieneng:{version}"
    assert services["init"]["build"]["dockerfile"] == "Dockerfile"


def test_no_secret_stands_in_the_file(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", key):
                assert key.endswith("_FILE"), (name, key)
                assert value.startswith("/run/jieneng/"), (name, key)
        assert not [one for one in service.get("command") or () if re.search("password=(?!/)", one)], name


def test_every_file_that_is_mounted_is_there_and_cannot_be_changed(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for one in mounts(service, "bind"):
            assert Path(one["source"]).exists(), (name, one)
            assert Path(one["source"]).is_relative_to(ROOT), (name, one)
            assert one["read_only"] is True, (name, one)
    script = ROOT / "deploy" / "compose" / "database.sh"
    assert script.stat().st_mode & 0o111, "the image of PostgreSQL runs it only so in a shell of its own"


def test_ports_are_opened_on_this_machine_alone_until_somebody_says_otherwise(services: dict[str, Any]) -> None:
    opened = {name: one["ports"] for name, one in services.items() if one.get("ports")}

    # Where there is a proxy, people come to the API by it alone.
    assert set(opened) == {"proxy" if "proxy" in services else "gateway", "grafana", "mosquitto"}
    assert {port["host_ip"] for ports in opened.values() for port in ports} == {"127.0.0.1"}


def test_the_broker_alone_is_opened_to_a_network() -> None:
    wide = resolved(JIENENG_BROKER_BIND="0.0.0.0")["services"]
    assert [port["host_ip"] for port in wide["mosquitto"]["ports"]] == ["0.0.0.0"]
    assert [port["host_ip"] for port in wide["gateway"]["ports"]] == ["127.0.0.1"]


def test_stores_are_reached_by_who_uses_them_and_reach_nobody(stack: dict[str, Any]) -> None:
    on = {
        network: {name for name, one in stack["services"].items() if network in (one.get("networks") or {})}
        for network in stack["networks"]
    }

    there = stack["services"].keys()
    assert on["records"] == {"postgres", "grafana", "dashboards", *GATEWAYS} & there
    assert on["readings"] == {
        "victoria", "influxdb", "influx-setup", "grafana", "vmagent", "vmalert", *GATEWAYS
    } & there  # fmt: skip
    assert {name for name, one in stack["networks"].items() if one.get("internal")} == {"records", "readings"}


def test_secrets_are_read_only_but_for_who_makes_them(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for one in mounts(service, "volume"):
            if one["source"] in SECRETS and name != "init":
                mounted_by, written_by = SECRETS[one["source"]]
                assert name in mounted_by, (name, one)
                assert one.get("read_only") is True or name in written_by, (name, one)


def test_every_volume_belongs_to_who_writes_there(stack: dict[str, Any]) -> None:
    """It gets the owner of the folder that it is first mounted on: one of our image, by `init`, on whom all wait."""
    services, dockerfile = stack["services"], (ROOT / "Dockerfile").read_text(encoding="utf-8")
    by_init = {one["source"]: one["target"] for one in mounts(services["init"], "volume")}

    assert set(by_init) == set(stack["volumes"])
    for target in by_init.values():
        assert re.search(rf"\s{re.escape(target)}[\s;]", dockerfile), target
    for name, service in services.items():
        if name != "init":
            assert service["depends_on"]["init"]["condition"] == "service_completed_successfully", name
            assert all(one["volume"].get("nocopy") for one in mounts(service, "volume")), name


def test_our_commands_are_ours(services: dict[str, Any]) -> None:
    own = {name: one["command"] for name, one in services.items() if one["image"] == OWN}

    assert set(own) == {"init", "dashboards", "influx-setup", "simulator", "edge", *GATEWAYS} & services.keys()
    for name, (subcommand, *arguments) in own.items():
        command = import_module(f"jieneng.commands.{subcommand}").command
        if isinstance(command, click.Group) and arguments[0] in command.commands:
            command, arguments = command.commands[arguments[0]], arguments[1:]
        if (name, arguments) == ("influx-setup", []):
            continue
        # Refuses an option that there is not.
        assert command.make_context(name, arguments).params


def test_the_gateway_finds_what_its_settings_name(services: dict[str, Any], tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "compose" / "gateway.yaml").read_text(encoding="utf-8")
    (tmp_path / "password").write_text("secret")
    (tmp_path / "gateway.yaml").write_text(text.replace("/run/jieneng/database", str(tmp_path)))
    settings = load_settings(tmp_path / "gateway.yaml")

    bus = MqttAddress.parse(settings.bus)
    stores = [PostgresAddress.parse(one or "") for one in (settings.ledger, settings.records)]
    readings = VictoriaAddress.parse(settings.store_address)
    assert settings.metrics_token_file == Path("/run/jieneng/metrics/token")

    assert (bus.host, bus.port, bus.tls) == ("mosquitto", 8883, True)
    assert {(one.host, one.user, one.password) for one in stores} == {("postgres", "jieneng", "secret")}
    assert "victoria:8428" in str(readings)
    assert settings.data == Path("/var/lib/jieneng")
    assert settings.accounts == "required"
    if "proxy" not in services:
        assert settings.host_and_port[1] == services["gateway"]["ports"][0]["target"]
    targets = {one["target"] for one in services["gateway"]["volumes"]}
    assert {"/var/lib/jieneng", "/run/jieneng/database", "/etc/jieneng/gateway.yaml"} <= targets


def test_readings_go_to_influx_where_that_is_asked_for_and_nothing_else_differs() -> None:
    folder = ROOT / "deploy" / "compose"
    one, other = ((folder / name).read_text(encoding="utf-8") for name in ("gateway.yaml", "gateway-influx.yaml"))
    differ = [pair for pair in zip(one.splitlines(), other.splitlines(), strict=True) if pair[0] != pair[1]]

    assert [line.partition(":")[0] for line in next(zip(*differ[1:], strict=True))] == ["store"]
    made = resolved(STACKS["roles and influx"])["services"]
    for name in GATEWAYS | {"init", "dashboards", "influx-setup"}:
        [file] = [m["source"] for m in mounts(made[name], "bind") if m["target"] == "/etc/jieneng/gateway.yaml"]
        assert Path(file).name == "gateway-influx.yaml", name
    address = load_settings(folder / "gateway-influx.yaml").store
    database = made["influxdb"]["environment"]
    where = f"{database['DOCKER_INFLUXDB_INIT_ORG']}/{database['DOCKER_INFLUXDB_INIT_BUCKET']}"
    token = database["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE"]
    assert address == f"influx+http://influxdb:8086/{where}?token_file={token}"


def test_what_makes_secrets_makes_all_that_the_base_makes_and_what_influx_needs() -> None:
    base, more = (set(resolved(STACKS[name])["services"]["init"]["command"]) for name in ("one gateway", "influx"))

    assert more - base == {"--password=/prepare/influx/token", "--password=/prepare/influx-admin/password"}
    assert base <= more


def test_there_are_two_of_each_role_by_names_of_their_own_and_one_way_to_the_api() -> None:
    made = resolved((FILE, ROLES))["services"]
    told = {name: dict(w[2:].split("=") for w in made[name]["command"] if "=" in w) for name in GATEWAYS}

    assert sorted(one["roles"] for one in told.values()) == ["api", "api", "ingest", "ingest", "jobs", "jobs"]
    assert len({one["name"] for one in told.values()}) == 6
    proxy = (ROOT / "deploy" / "compose" / "haproxy.cfg").read_text(encoding="utf-8")
    behind = re.findall(r"^    server (\S+) (\S+):8080$", proxy, re.MULTILINE)
    assert {(told[host]["name"], told[host]["roles"]) for _, host in behind} == {("api-1", "api"), ("api-2", "api")}
    for name in WORKERS:
        assert made[name]["depends_on"]["gateway"]["condition"] == "service_healthy", name
        # Keys lie in one folder.
        assert {m["source"]: m["target"] for m in mounts(made[name], "volume")}["gateway-data"] == "/var/lib/jieneng"
        assert made[name]["healthcheck"]["test"] == made["gateway"]["healthcheck"]["test"], name


@pytest.mark.parametrize(("which", "gateways"), [("one gateway", {"gateway"}), ("roles", GATEWAYS)])
def test_every_gateway_process_and_the_edge_are_asked_for_their_figures(which: str, gateways: set[str]) -> None:
    made = resolved(STACKS[which])["services"]
    [file] = [m["source"] for m in mounts(made["vmagent"], "bind") if m["target"] == "/etc/jieneng/scrape.yml"]
    jobs = {job["job_name"]: job for job in yaml.safe_load(Path(file).read_text(encoding="utf-8"))["scrape_configs"]}
    targets = {name: [t for c in job["static_configs"] for t in c["targets"]] for name, job in jobs.items()}

    assert sorted(targets["jieneng"]) == sorted(f"{name}:8080" for name in gateways)
    assert jobs["jieneng"]["authorization"]["credentials_file"] == "/run/jieneng/metrics/token"
    assert targets["jieneng-edge"] == ["simulator:9105"]
    assert "--listen-health=0.0.0.0:9105" in made["edge"]["command"]
    for target in (t for of in targets.values() for t in of):
        assert set(made[target.partition(":")[0]]["networks"]) & set(made["vmagent"]["networks"]), target
