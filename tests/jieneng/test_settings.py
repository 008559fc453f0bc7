"""Settings that name files and addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from energy.errors import ConfigurationError, EnergyError
from jieneng.settings import load_settings


def token_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "metrics-token"
    file.write_text(text)
    file.chmod(mode)
    (folder / "gateway.yaml").write_text("metrics_token_file: metrics-token\n")
    return folder / "gateway.yaml"


def test_the_token_of_metrics_is_what_stands_in_its_file(tmp_path: Path) -> None:
    assert load_settings(token_file(tmp_path, "a-token-that-is-long\n")).metrics_token == "a-token-that-is-long"
    assert load_settings(None).metrics_token is None


def test_a_token_that_could_be_guessed_or_is_read_by_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnergyError, match="20 characters at least; jieneng prepare --password"):
        _ = load_settings(token_file(tmp_path, "short\n")).metrics_token
    with pytest.raises(EnergyError, match="metrics-token"):
        _ = load_settings(token_file(tmp_path, "a-token-that-is-long", 0o644)).metrics_token


def test_a_port_alone_is_one_of_this_machine(tmp_path: Path) -> None:
    assert load_settings(None).health_host_and_port is None
    assert load_settings(None, listen_health="9105").health_host_and_port == ("127.0.0.1", 9105)
    assert load_settings(None, listen_health="[::]:9105").health_host_and_port == ("::", 9105)
    with pytest.raises(ConfigurationError, match="--listen-health 0: "):
        load_settings(None, listen_health="0")


@pytest.mark.parametrize("nonsense", ["-1", "384000000", "'half'"])
def test_memory_that_cannot_be_meant_is_refused_where_it_stands(tmp_path: Path, nonsense: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"data: var\nledger_memory_mb: {nonsense}\n")
    with pytest.raises(ConfigurationError, match=rf"settings.yaml:2: ledger_memory_mb = {nonsense}: must be"):
        load_settings(file)
    file.write_text("ledger_memory_mb: 64\n")
    assert load_settings(file).ledger_memory_mb == 64
