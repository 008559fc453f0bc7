"""Parts are started one after the other: each is waited for as long as it lives, and no longer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from energy.errors import EnergyError
from jieneng import supervisor
from jieneng.supervisor import Part, children


def part(folder: Path, code: str, ready: Callable[[], bool]) -> Part:
    return Part("slow", [sys.executable, "-c", code], folder / "slow.log", ready)


def test_a_part_that_takes_long_to_answer_is_waited_for_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_SAY_EVERY_S", -1.0)
    answers = iter([False, False, True])

    with (
        capture_logs() as logs,
        children([part(tmp_path, "import time; time.sleep(600)", lambda: next(answers))]) as started,
    ):
        assert started[0].exit_code is None

    assert [(one["event"], one["name"]) for one in logs] == [("process.awaited", "slow")] * 2


def test_a_part_that_ends_before_it_answers_is_told_with_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(EnergyError, match=r"slow ended with code 3 while starting; see .*slow\.log"),
        children([part(tmp_path, "raise SystemExit(3)", lambda: False)]),
    ):
        pass
