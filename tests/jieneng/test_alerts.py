"""Rules and the roster from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner
from openpyxl import Workbook

from energy.errors import ConfigurationError
from jieneng.__main__ import jieneng

ROOT = Path(__file__).parents[2]
RULES = "rules: [{id: quiet, kind: silence, name: {zh: 静, en: Silent}, after: 5 min}]\n"
ROSTER = """
persons:
  - {id: wang, name: 王强, reach: [{channel: log, address: "13800000001"}]}
  - {id: li, name: 李静, reach: [{channel: log, address: "13800000002"}]}
rota: [{from: 2026-01-01, to: 2099-12-31, turns: [{main: wang, deputy: li}]}]
"""


def run(tmp_path: Path, *words: str) -> Any:
    return CliRunner().invoke(jieneng, [*words, "--data", str(tmp_path)])


def written(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_rules_are_checked_brought_in_and_checked_against_what_holds(tmp_path: Path) -> None:
    file = written(tmp_path, "rules.yaml", RULES)
    assert "1 rules; there are no records yet" in run(tmp_path, "alerts", "check", file).output
    assert run(tmp_path, "alerts", "import", file).output.startswith("1 changes")
    assert "0 differ" in run(tmp_path, "alerts", "check", file).output

    wrong = written(tmp_path, "wrong.yaml", RULES.replace("5 min", "5"))
    found = run(tmp_path, "alerts", "import", wrong).exception
    assert isinstance(found, ConfigurationError)
    assert "wrong.yaml:1: rules[0].after = 5: must be a time with its unit" in str(found)
    assert run(tmp_path, "alerts", "list").output == "no open alarms\n"


def test_a_roster_is_brought_in_and_shifts_of_a_workbook_take_its_place(tmp_path: Path) -> None:
    file = written(tmp_path, "duty.yaml", ROSTER)
    assert run(tmp_path, "duty", "import", file).exit_code == 0
    shown = run(tmp_path, "duty", "show").output
    assert "main     王强 log 138****0001" in shown

    book = Workbook()
    assert book.active is not None
    for row in (["day", "from", "to", "main", "deputy"], ["2026-04-01", "08:00", "20:00", "li", "wang"]):
        book.active.append(row)
    book.save(tmp_path / "shifts.xlsx")
    assert run(tmp_path, "duty", "import", str(tmp_path / "shifts.xlsx")).exit_code == 0

    book.active.append(["2026-04-02", "08:00", "20:00", "zhang", ""])
    book.save(tmp_path / "shifts.xlsx")
    found = run(tmp_path, "duty", "import", str(tmp_path / "shifts.xlsx")).exception
    assert isinstance(found, ConfigurationError)
    assert "is no person of this file; there are wang, li" in str(found)


def test_a_channel_is_tried_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(jieneng, ["alerts", "test", "log", "13800000001"])
    assert (done.exit_code, "sent: written to the log" in done.output) == (0, True)
    unknown = CliRunner().invoke(jieneng, ["alerts", "test", "fax", "1"]).exception
    assert "there is no channel 'fax'; there are log" in str(unknown)


def test_the_shipped_examples_are_right_for_the_demo(tmp_path: Path) -> None:
    early = run(tmp_path, "alerts", "import", str(ROOT / "config" / "alerts.yaml"))
    assert early.exit_code == 0, "before there is a site, points are not looked up"
    site = CliRunner().invoke(
        jieneng, ["site", "import", str(ROOT / "config" / "demo.yaml"), "--yes", "--data", str(tmp_path)]
    )
    assert site.exit_code == 0, site.output
    assert "4 rules, all right" in run(tmp_path, "alerts", "check", str(ROOT / "config" / "alerts.yaml")).output
    assert run(tmp_path, "duty", "import", str(ROOT / "config" / "duty.yaml")).exit_code == 0
    channels = str(ROOT / "config" / "channels.yaml")
    tried = CliRunner().invoke(jieneng, ["alerts", "test", "log", "1", "--channels", channels])
    assert tried.exit_code == 0
