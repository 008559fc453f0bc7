"""`jieneng events` as a stranger uses it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from jieneng.__main__ import jieneng

FILE = """\
meter,kind,at,final_register,initial_register,note
main,exchanged,2026-03-02T10:30:00+08:00,184260.0,0,new meter
main,calibrated,2026-04-02T10:30:00+08:00,,,
"""


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(jieneng, ["events", *arguments, "--data", str(folder / "var")])


def written(folder: Path, text: str = FILE) -> str:
    (folder / "events.csv").write_text(text, encoding="utf-8")
    return str(folder / "events.csv")


def test_a_file_is_entered_once(tmp_path: Path) -> None:
    file = written(tmp_path)

    first, second = run(tmp_path, "import", file), run(tmp_path, "import", file)

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "2 added, 0 were there already" in first.output
    assert "not in the records of any site: main" in first.output
    assert "0 added, 2 were there already" in second.output


def test_where_a_row_is_wrong_none_is_entered(tmp_path: Path) -> None:
    refused = run(tmp_path, "import", written(tmp_path, FILE + "main,exchange,yesterday,,,\n"))

    assert "events.csv:4: kind: kind 'exchange' is not known; did you mean 'exchanged'?" in str(refused.exception)
    assert "events.csv:4: at: 'yesterday' is no instant" in str(refused.exception)
    assert "calibrated" not in run(tmp_path, "list").output


def test_events_are_listed_with_who_and_why(tmp_path: Path) -> None:
    run(tmp_path, "import", written(tmp_path), "--who", "wang", "--why", "order 7")

    told = run(tmp_path, "list", "main").output

    assert "final_register 184260.0, initial_register 0.0" in " ".join(told.replace("│", " ").split())
    assert told.count("wang") == told.count("order 7") == 2
    assert "exchanged" not in run(tmp_path, "list", "other").output


def test_a_wrong_event_is_withdrawn_and_another_entered(tmp_path: Path) -> None:
    run(tmp_path, "import", written(tmp_path))
    corrected = written(tmp_path, FILE.replace("184260.0", "184261.0"))

    contradicting = run(tmp_path, "import", corrected)
    assert contradicting.exit_code == 1
    assert "not added: main exchanged" in contradicting.output
    assert "event 1 says" in contradicting.output

    withdrawn = run(tmp_path, "withdraw", "1", "--why", "read wrong", "--who", "li")
    assert withdrawn.exit_code == 0, withdrawn.output
    assert "1 added, 1 were there already" in run(tmp_path, "import", corrected).output
    assert "184260" not in run(tmp_path, "list").output
    assert "withdrawn by li: read wrong" in " ".join(
        run(tmp_path, "list", "--withdrawn").output.replace("│", " ").split()
    )


def test_what_was_withdrawn_comes_back_only_when_told(tmp_path: Path) -> None:
    file = written(tmp_path)
    run(tmp_path, "import", file)
    run(tmp_path, "withdraw", "1", "--why", "the wrong meter")

    assert "1 were withdrawn before and not added" in run(tmp_path, "import", file).output
    assert "1 added, 1 were there already" in run(tmp_path, "import", file, "--again").output


def test_a_withdrawal_says_why(tmp_path: Path) -> None:
    assert run(tmp_path, "withdraw", "1").exit_code == 2
    assert "event 1 is not known" in str(run(tmp_path, "withdraw", "1", "--why", "wrong").exception)
