"""What several gateway processes need is looked at before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from energy.errors import ConfigurationError
from jieneng.__main__ import jieneng
from jieneng.roles import must_fit, process_name, roles_of
from jieneng.settings import load_settings

SERVERS = ("mqtt://127.0.0.1", "victoria+http://127.0.0.1:8428", "postgresql://j@h/ledger", "postgresql://j@h/records")


def test_a_process_with_all_roles_may_run_on_embedded_parts() -> None:
    must_fit(roles_of("api,jobs,ingest"), "embedded", "duckdb:x", None, "sqlite:x")


def test_a_process_with_some_roles_needs_what_others_reach_too() -> None:
    must_fit(roles_of("ingest,jobs"), *SERVERS)

    with pytest.raises(ConfigurationError) as refused:
        must_fit(roles_of("ingest"), "embedded", "duckdb:var/readings.duckdb", None, "sqlite:var/records.sqlite")
    told = refused.value.faults
    assert [next(w for w in ("--bus", "--store", "--ledger", "--records") if w in one) for one in told] == [
        "--bus",
        "--store",
        "--ledger",
        "--records",
    ]


@pytest.mark.parametrize("text", ["", "ingest,web", "all"])
def test_a_strange_role_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="ingest, jobs, api"):
        roles_of(text)


def test_a_process_is_called_after_its_machine_and_what_it_does() -> None:
    whole, part = (process_name(None, roles_of(text)) for text in ("ingest,jobs,api", "jobs"))

    assert part == f"{whole}-jobs"
    assert process_name("jobs-2", roles_of("jobs")) == "jobs-2"
    with pytest.raises(ConfigurationError, match="--name a/b"):
        process_name("a/b", roles_of("jobs"))


def test_each_of_several_has_a_journal_of_its_own(tmp_path: Path) -> None:
    store = "victoria+http://127.0.0.1:8428"
    alone = load_settings(None, data=tmp_path, store=store)
    one = load_settings(None, data=tmp_path, store=store, roles="ingest", name="ingest-1")

    assert alone.store_address == f"{store}?journal={tmp_path / 'victoria'}"
    assert one.store_address == f"{store}?journal={tmp_path / 'victoria' / 'ingest-1'}"


def test_roles_in_a_settings_file_are_checked_where_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("roles: ingest,web\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"settings.yaml.*web is no role"):
        load_settings(file)


def test_the_command_says_all_that_does_not_fit(tmp_path: Path) -> None:
    ran = CliRunner().invoke(jieneng, ["gateway", "--roles", "ingest", "--data", str(tmp_path), "--site", "none.yaml"])

    assert isinstance(ran.exception, ConfigurationError)
    assert len(ran.exception.faults) == 4
    assert list(tmp_path.iterdir()) == []


def test_run_is_everything(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="this command runs everything"):
        CliRunner().invoke(
            jieneng, ["run", "--config", str(_with_roles(tmp_path))], catch_exceptions=False, standalone_mode=False
        )


def _with_roles(folder: Path) -> Path:
    file = folder / "settings.yaml"
    file.write_text("roles: api\nsite: site.yaml\n", encoding="utf-8")
    return file
