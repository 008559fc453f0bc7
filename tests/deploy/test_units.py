"""The units for machines without containers: systemd takes them, our commands understand them, they have no rights."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from jieneng.__main__ import _COMMANDS
from jieneng.settings import load_settings
from tests.deploy.stack import ROOT

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
BINARY = "/opt/jieneng/bin/jieneng"
# Every service says these; the numbers that systemd gives to how exposed it is go from 0 to 10.
SAID = (
    "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "StateDirectory=jieneng",
    "User=jieneng", "CapabilityBoundingSet=", "UMask=0077",
)  # fmt: skip
MOST_EXPOSED = 2.5


# The specifier %d came with 250.
OLDEST_SYSTEMD = 250


def ids(path: Path) -> str:
    return path.stem


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd is not installed")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=240).stdout
    [version] = re.findall(r"^systemd (\d+)", told)
    if int(version) < OLDEST_SYSTEMD:
        pytest.skip(f"systemd {version} is too old")
    return found


@pytest.mark.parametrize("unit", SERVICES, ids=ids)
def test_a_service_has_no_rights_and_its_secrets_from_systemd(unit: Path) -> None:
    lines = unit.read_text(encoding="utf-8").splitlines()

    assert set(SAID) <= set(lines)
    assert any(line.startswith("LoadCredential=") for line in lines)
    assert any(line.startswith("MemoryMax=") for line in lines)
    assert "Restart=on-failure" in lines or "Type=oneshot" in lines
    assert not [line for line in lines if re.search("^Environment=.*(PASSWORD|://[^/@]*:[^/@]*@)", line)]


@pytest.mark.parametrize("unit", SERVICES, ids=ids)
def test_every_file_that_a_command_names_as_a_credential_is_handed_over(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    handed = set(re.findall(r"^LoadCredential=([^:]+):", text, re.MULTILINE))

    assert set(re.findall(r"%d/([a-z.-]+)", text)) <= handed


@pytest.mark.parametrize("unit", SERVICES, ids=ids)
def test_our_commands_understand_what_a_unit_asks(unit: Path) -> None:
    [line] = re.findall(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    binary, name, *arguments = shlex.split(line)

    assert binary == BINARY
    if name not in _COMMANDS:
        pytest.skip(f"there is no `jieneng {name}` yet")
    assert import_module(f"jieneng.commands.{_COMMANDS[name][0]}").command.make_context(name, arguments).params


def test_the_settings_beside_the_units_are_settings() -> None:
    settings = load_settings(UNITS / "gateway.yaml")

    assert (settings.data, settings.behind_tls) == (Path("/var/lib/jieneng"), True)


def test_systemd_takes_the_units(analyze: str, tmp_path: Path) -> None:
    """With a program that is there in place of the one to be installed."""
    names = []
    for unit in (*SERVICES, *UNITS.glob("*.timer")):
        text = unit.read_text(encoding="utf-8").replace(BINARY, sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
        names.append(str(tmp_path / unit.name))

    ran = subprocess.run([analyze, "verify", "--man=no", *names], capture_output=True, text=True, timeout=240)

    # Others' units of this machine are not our concern.
    told = [line for line in ran.stderr.splitlines() if "jieneng" in line]
    assert (told, ran.returncode) == ([], 0)


def test_systemd_would_tell_what_is_wrong(analyze: str, tmp_path: Path) -> None:
    """So that a green check is one."""
    text = SERVICES[0].read_text(encoding="utf-8").replace(BINARY, sys.executable)
    (tmp_path / SERVICES[0].name).write_text(text.replace("MemoryMax=", "MemoryMost="), encoding="utf-8")

    command = [analyze, "verify", "--man=no", str(tmp_path / SERVICES[0].name)]
    assert "'MemoryMost'" in subprocess.run(command, capture_output=True, text=True, timeout=240).stderr


@pytest.mark.parametrize("unit", SERVICES, ids=ids)
def test_systemd_finds_little_that_is_exposed(analyze: str, unit: Path) -> None:
    command = [analyze, "security", "--no-pager", "--offline=true", str(unit)]

    told = subprocess.run(command, capture_output=True, text=True, timeout=240).stdout

    [level] = re.findall(r"Overall exposure level .*: (\d+\.\d+)", told)
    assert float(level) <= MOST_EXPOSED
