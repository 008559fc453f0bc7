"""Which database the records are in is said by an option, a settings file or the environment, and never told on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jieneng.__main__ import jieneng
from jieneng.commands.run import parts
from jieneng.settings import Settings, load_settings
from tests.databases import NewDatabase

SITE = """\
site: campus
name: {zh: 园区, en: Campus}
places:
  - {id: house, name: {zh: 楼, en: House}, kind: office}
meters:
  - {id: main, name: {zh: 总表, en: Main}, medium: water, place: house, read: [volume]}
"""
EVENTS = "meter,kind,at,final_register,initial_register,note\nmain,exchanged,2026-03-02T10:30:00+08:00,184.0,0,new\n"
SECRET = "postgresql://li:swordfish@127.0.0.1:1/records"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(jieneng, arguments, catch_exceptions=False)


@pytest.fixture
def site_file(tmp_path: Path) -> str:
    file = tmp_path / "site.yaml"
    file.write_text(SITE, encoding="utf-8")
    return str(file)


def test_commands_work_on_the_database_that_is_named(new_database: NewDatabase, tmp_path: Path, site_file: str) -> None:
    events = tmp_path / "events.csv"
    events.write_text(EVENTS, encoding="utf-8")
    of = ("--records", new_database(empty=True), "--data", str(tmp_path / "var"))

    assert "campus: 3 added" in run("site", "import", site_file, "--yes", *of).output
    assert run("site", "import", site_file, *of).output == "campus: no difference\n"
    assert run("events", "import", str(events), *of).output == "1 added, 0 were there already\n"
    assert "exchanged" in run("events", "list", "main", *of).output
    assert "place house" in run("site", "history", *of).output
    for listed in (("tariffs", "list"), ("bills", "list"), ("stock", "list"), ("period", "list")):
        assert run(*listed, *of).exit_code == 0
    days = ("--from", "2026-01-01T00:00:00+08:00", "--to", "2026-02-01T00:00:00+08:00", "--json")
    assert json.loads(run("consumption", "meter/main", *days, *of).output)[0]["total"]["value"] is None
    assert not (tmp_path / "var" / "records.sqlite").exists()


def test_a_settings_file_names_the_database_for_all_commands(
    new_database: NewDatabase, tmp_path: Path, site_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"data: var\nrecords: {new_database()}\n", encoding="utf-8")

    assert "3 added" in run("site", "import", site_file, "--yes", "--config", str(settings)).output
    monkeypatch.setenv("JIENENG_RECORDS", load_settings(settings).records)
    assert "site: campus" in run("site", "export").output


def test_without_a_word_the_records_are_a_file_in_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)

    assert settings.records_address == f"sqlite:{tmp_path / 'records.sqlite'}"
    assert not settings.has_records
    (tmp_path / "records.sqlite").touch()
    assert settings.has_records
    assert Settings(records="postgresql://db.example/records").has_records


def test_a_password_stands_in_no_list_of_processes(tmp_path: Path) -> None:
    found = parts(Settings(site=tmp_path / "site.yaml", data=tmp_path / "var", records=SECRET), None)

    assert [part.told for part in found if part.name == "gateway"] == [{"JIENENG_RECORDS": SECRET}]
    assert "swordfish" not in str([part.command for part in found])


def test_a_database_that_is_away_is_told_in_words(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jieneng", "site", "export", "--records", SECRET]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])

    assert ran.returncode == 2
    assert ran.stderr.startswith("jieneng: records: PostgreSQL at 127.0.0.1:1 cannot be reached")
    assert "swordfish" not in ran.stderr
