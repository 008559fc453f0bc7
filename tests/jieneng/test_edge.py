"""Who may come to the broker, from the command line; and with what the processes of this machine come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.broker_rules import GATEWAY
from energy.errors import EnergyError
from jieneng.__main__ import jieneng
from jieneng.commands.run import parts
from jieneng.settings import Settings, load_settings


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(jieneng, ["edge", *arguments, "--data", str(folder / "var")])


def done(folder: Path, *arguments: str) -> str:
    result = run(folder, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(folder: Path, *arguments: str) -> str:
    result = run(folder, *arguments)
    assert isinstance(result.exception, EnergyError), (result.output, result.exception)
    return str(result.exception)


def test_an_edge_is_enrolled_shown_renewed_and_revoked(tmp_path: Path) -> None:
    into = str(tmp_path / "north")
    said = done(tmp_path, "enroll", "north", "--broker", "broker.example", "--into", into, "--who", "li")
    assert f"north comes to mqtts://broker.example:8883 by what is in {into}/" in said
    # Where the broker is was said once.
    done(tmp_path, "enroll", "north", "--renew", "--into", str(tmp_path / "again"), "--who", "li")
    done(tmp_path, "enroll", "south", "--into", str(tmp_path / "south"), "--topic", "plant/+/south", "--who", "li")
    assert "south is revoked" in done(tmp_path, "revoke", "south", "--who", "wang", "--why", "stolen")

    rows = [line for line in done(tmp_path, "list").splitlines() if line.startswith("│")]
    shown = [[cell.strip() for cell in line.split("│")[1:-1]] for line in rows]
    assert [(row[0], row[1], row[4], row[5].split()[0]) for row in shown] == [
        (GATEWAY, "both, on this machine", "itself", "holds"),
        ("north", "certificate", "li", "holds"),
        ("south", "certificate", "li", "revoked"),
    ]


def test_the_folder_of_an_edge_says_where_it_goes_and_as_whom(tmp_path: Path) -> None:
    into = tmp_path / "north"
    done(tmp_path, "enroll", "north", "--broker", "broker.example:8884", "--into", str(into))

    settings = load_settings(into / "edge.yaml")
    assert (settings.edge, settings.site, settings.data) == ("north", None, into / "var")
    assert settings.bus_of("north") == (
        f"mqtts://broker.example:8884?ca={into}/ca.pem&cert={into}/client.pem&key={into}/client.key"
    )


def test_a_program_of_this_machine_is_given_a_password_and_nothing_else_need_be_said(tmp_path: Path) -> None:
    into = tmp_path / "water-system"
    done(tmp_path, "enroll", "water-system", "--password", "--into", str(into), "--broker-port", "18999")

    assert load_settings(into / "edge.yaml").bus_of("water-system") == (
        f"mqtt://water-system@127.0.0.1:18999?password_file={into}/password"
    )


def test_where_passwords_are_taken_is_said_each_time_and_not_remembered_for_certificates(tmp_path: Path) -> None:
    at = ["--bus", "mqtts://broker.example:8883"]
    logger = ["enroll", "logger", "--password", *at, "--into", str(tmp_path / "logger")]
    assert "such as HOST:8884" in refused(tmp_path, *logger)
    done(tmp_path, *logger, "--broker", "broker.example:8884")
    done(tmp_path, "enroll", "logger", "--renew", "--into", str(tmp_path / "again"))
    done(tmp_path, "enroll", "north", *at, "--into", str(tmp_path / "north"))

    names = {name: load_settings(tmp_path / name / "edge.yaml").bus for name in ("logger", "again", "north")}
    assert names == {
        "logger": "mqtts://broker.example:8884",
        "again": "mqtts://broker.example:8884",
        "north": "mqtts://broker.example:8883",
    }


def test_what_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    into = ["--into", str(tmp_path / "north")]

    assert "Say it once by --broker HOST:PORT" in refused(tmp_path, "enroll", "north", *into)
    assert "HOST or HOST:PORT" in refused(tmp_path, "enroll", "north", "--broker", "mqtt://x", *into)
    assert "leave --password away" in refused(tmp_path, "enroll", "north", "--broker", "x", "--password", *into)
    assert "a name is made of" in refused(tmp_path, "enroll", "a/b", "--broker", "x", *into)
    assert "this name is taken" in refused(tmp_path, "enroll", GATEWAY, "--broker", "x", *into)
    assert "'north' is not enrolled" in refused(tmp_path, "revoke", "north")
    assert not (tmp_path / "north").exists()


def test_options_of_a_command_stand_behind_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(jieneng, ["edge", "--data", str(tmp_path), "list"])

    assert result.exit_code == 2
    assert "options of list stand behind it" in result.output


def test_enrolling_and_revoking_stand_in_the_audit_log_without_secrets(tmp_path: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(jieneng, ["accounts", "add", "wang", "--data", str(tmp_path / "var")])
    assert made.exit_code == 0
    done(
        tmp_path, "enroll", "logger", "--password", "--into", str(tmp_path / "logger"), "--who", "li", "--why", "box 7"
    )
    done(tmp_path, "revoke", "logger", "--who", "wang", "--why", "stolen")
    exported = tmp_path / "audit.jsonl"
    asked = ["audit", "export", str(exported), "--json", "--subject", "edge/", "--data", str(tmp_path / "var")]
    assert runner.invoke(jieneng, asked).exit_code == 0

    rows = [json.loads(line) for line in exported.read_text().splitlines()]
    told = [json.loads(r["detail"]) if isinstance(r["detail"], str) else r["detail"] for r in rows]
    assert [(r["account"], r["subject"], d["after"]["state"], d["why"]) for r, d in zip(rows, told, strict=True)] == [
        ("li", "edge/logger", "enrolled", "box 7"),
        ("wang", "edge/logger", "revoked", "stolen"),
    ]
    assert (tmp_path / "logger" / "password").read_text() not in exported.read_text()


@pytest.mark.parametrize("listen", [None, "0.0.0.0:18999"])
def test_no_secret_stands_in_what_processes_are_started_with(tmp_path: Path, listen: str | None) -> None:
    settings = Settings(site=tmp_path / "site.yaml", data=tmp_path / "var", broker_port=18999, broker_listen=listen)
    started = parts(settings, None)

    secrets = [file.read_text() for file in (tmp_path / "var" / "identities" / "own").rglob("password")]
    words = " ".join(str(word) for part in started for word in [*part.command, *part.told.values()])
    assert len(secrets) == 2
    assert [secret for secret in secrets if secret in words] == []
    assert words.count("mqtts://127.0.0.1:18999?ca=" if listen else "@127.0.0.1:18999?password_file=") == 2


def test_where_it_listens_beyond_loopback_the_embedded_broker_speaks_tls_and_knows_who_comes(tmp_path: Path) -> None:
    settings = Settings(site=tmp_path / "site.yaml", data=tmp_path / "var", broker_listen="0.0.0.0:18999")
    parts(settings, None)

    text = (tmp_path / "var" / "broker" / "nats.conf").read_text()
    assert 'mqtt { host: "0.0.0.0", port: 18999' in text
    assert "verify_and_map: true" in text
    assert "no_auth_user" not in text
