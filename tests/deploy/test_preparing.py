"""What a stack needs before its first start is made once, whole, and for its owner alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.broker_rules import GATEWAY
from energy.errors import EnergyError
from jieneng.commands.prepare import command
from jieneng.enrolment import identities
from jieneng.preparing import prepare
from jieneng.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", bus="mqtts://mosquitto:8883")


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_password_is_made_once_and_for_its_owner_alone(settings: Settings, tmp_path: Path) -> None:
    files = [tmp_path / name / "password" for name in ("grafana", "database")]

    assert list(prepare(settings, files, [], tmp_path))[:2] == [f"{file}: made" for file in files]
    first = content(tmp_path / "grafana") | content(tmp_path / "database")
    again = list(prepare(settings, files, [], tmp_path))

    assert len(set(first.values())) == 2
    assert all(len(password) == 43 for password in first.values())  # 256 bits, six to a letter
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert again[:2] == [f"{file}: is there" for file in files]
    assert content(tmp_path / "grafana") | content(tmp_path / "database") == first


def test_a_password_that_others_can_read_or_that_is_empty_is_refused(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("open")
    file.chmod(0o644)
    with pytest.raises(EnergyError, match="can be read by others"):
        list(prepare(settings, [file], [], tmp_path))

    file.write_text(" \n")
    file.chmod(0o600)
    with pytest.raises(EnergyError, match="is empty; remove it"):
        list(prepare(settings, [file], [], tmp_path))


def test_an_edge_is_enrolled_once_at_the_broker_of_the_settings(settings: Settings, tmp_path: Path) -> None:
    list(prepare(settings, [], ["north"], tmp_path / "edges"))
    first = content(tmp_path / "edges")
    list(prepare(settings, [], ["north"], tmp_path / "edges"))

    index = identities(settings).index
    assert content(tmp_path / "edges") == first
    assert index.edges["north"].bus == "mqtts://mosquitto:8883"
    assert "mosquitto" in index.hosts
    assert len(index.edges["north"].certificates) == 1
    assert (identities(settings).own(GATEWAY) / "client.key").exists()
    assert (settings.identities / "mosquitto" / "acl").exists()


def test_an_edge_whose_folder_was_lost_gets_another_one(settings: Settings, tmp_path: Path) -> None:
    edges = tmp_path / "edges"
    list(prepare(settings, [], ["north"], edges))
    shutil.rmtree(edges)

    assert list(prepare(settings, [], ["north"], edges))[-1] == f"{edges / 'north'}: renewed"
    assert (edges / "north" / "edge.yaml").exists()


@pytest.mark.parametrize("enrolled", [False, True])
def test_what_a_killed_start_left_behind_is_made_whole(settings: Settings, tmp_path: Path, enrolled: bool) -> None:
    """Killed before the edge stood in the index, or after that and before its folder had its name."""
    edges = tmp_path / "edges"
    if enrolled:
        list(prepare(settings, [], ["north"], edges))
        (edges / "north").rename(edges / ".north.draft")
    else:
        (edges / ".north.draft").mkdir(parents=True)
        (edges / ".north.draft" / "client.pem").write_text("half")

    list(prepare(settings, [], ["north"], edges))

    assert sorted(path.name for path in edges.iterdir()) == ["north"]
    assert (edges / "north" / "client.pem").read_text().startswith("-----BEGIN CERTIFICATE")


def test_a_certificate_that_ends_soon_is_renewed(settings: Settings, tmp_path: Path) -> None:
    known = identities(settings)
    known.enroll("north", tmp_path / "edges" / "north", settings.bus, by="li", days=59)

    told = list(prepare(settings, [], ["north"], tmp_path / "edges"))

    assert told[-1] == f"{tmp_path / 'edges' / 'north'}: renewed"
    assert len(known.index.edges["north"].certificates) == 2


def test_an_edge_that_was_revoked_does_not_come_back_by_a_restart(settings: Settings, tmp_path: Path) -> None:
    list(prepare(settings, [], ["north"], tmp_path / "edges"))
    identities(settings).revoke("north", by="li")

    with pytest.raises(EnergyError, match="north was revoked"):
        list(prepare(settings, [], ["north"], tmp_path / "edges"))


def test_the_command_tells_what_it_made_but_no_secret(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text("data: data\nbus: mqtts://mosquitto:8883\n")
    given = ["--config", str(config), "--password", str(tmp_path / "pw"), "--edge", "north", "--into", str(tmp_path)]

    ran = CliRunner().invoke(command, given, catch_exceptions=False)

    assert ran.exit_code == 0
    assert (tmp_path / "pw").read_text() not in ran.output
    assert f"{tmp_path / 'pw'}: made" in ran.output
    assert f"{tmp_path / 'north'}: made" in ran.output
