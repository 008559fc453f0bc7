"""What docker-compose.yml promises: nothing secret in it, nothing open, nothing unpinned, nobody with rights."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from adapters.mqtt_address import MqttAddress
from adapters.postgres_address import PostgresAddress
from adapters.victoria_client import VictoriaAddress
from jieneng.settings import load_settings
from tests.deploy.stack import FILE, ROOT, compose, resolved

# Why nobody asks these how they are.
UNASKED = {
    "init": "does its work and ends",
    "edge": "serves nothing; the gateway tells when it is gone, and a process that ends is started again",
}
OWN = "jieneng:0.1.0"
# Volumes that hold secrets, and who but `init` may write there.
SECRETS = {
    "postgres-password": set(),
    "database-password": set(),
    "grafana-password": set(),
    "reader-password": set(),
    "edge-identities": set(),
    "broker-files": {"gateway"},
}  # type: dict[str, set[str]]


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return resolved()


@pytest.fixture(scope="module")
def services(stack: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack["services"]
    return found


def mounts(service: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in service.get("volumes", []) if one["type"] == kind]


def test_compose_takes_the_file_and_wonders_about_nothing() -> None:
    ran = compose("config", "--quiet")

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_compose_would_tell_what_is_wrong(tmp_path: Path) -> None:
    """So that a green check is one."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(FILE.read_text().replace("condition: service_healthy", "condition: service_helthy"))

    ran = compose("config", "--quiet", file=file)

    assert ran.returncode != 0
    assert "condition" in ran.stderr


def test_everything_that_was_asked_for_is_there(services: dict[str, Any]) -> None:
    assert set(services) == {
        "init", "mosquitto", "postgres", "victoria", "gateway", "grafana", "simulator", "edge"
    }  # fmt: skip


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
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"]), name
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

    assert set(opened) == {"gateway", "grafana", "mosquitto"}
    assert {port["host_ip"] for ports in opened.values() for port in ports} == {"127.0.0.1"}
    wide = resolved(JIENENG_BROKER_BIND="0.0.0.0")["services"]
    assert [port["host_ip"] for port in wide["mosquitto"]["ports"]] == ["0.0.0.0"]
    assert [port["host_ip"] for port in wide["gateway"]["ports"]] == ["127.0.0.1"]


def test_stores_are_reached_by_who_uses_them_and_reach_nobody(stack: dict[str, Any]) -> None:
    on = {
        network: {name for name, one in stack["services"].items() if network in (one.get("networks") or {})}
        for network in stack["networks"]
    }

    assert on["records"] == {"postgres", "gateway", "grafana"}
    assert on["readings"] == {"victoria", "gateway", "grafana"}
    assert {name for name, one in stack["networks"].items() if one.get("internal")} == {"records", "readings"}


def test_secrets_are_read_only_but_for_who_makes_them(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for one in mounts(service, "volume"):
            if one["source"] in SECRETS and name not in {"init"} | SECRETS[one["source"]]:
                assert one.get("read_only") is True, (name, one)


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

    assert set(own) == {"init", "gateway", "simulator", "edge"}
    for name, (subcommand, *arguments) in own.items():
        command = import_module(f"jieneng.commands.{subcommand}").command
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

    assert (bus.host, bus.port, bus.tls) == ("mosquitto", 8883, True)
    assert {(one.host, one.user, one.password) for one in stores} == {("postgres", "jieneng", "secret")}
    assert "victoria:8428" in str(readings)
    assert settings.data == Path("/var/lib/jieneng")
    assert settings.accounts == "required"
    assert settings.host_and_port[1] == services["gateway"]["ports"][0]["target"]
    targets = {one["target"] for one in services["gateway"]["volumes"]}
    assert {"/var/lib/jieneng", "/run/jieneng/database", "/etc/jieneng/gateway.yaml"} <= targets
