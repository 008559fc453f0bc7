"""The profile that is shown can be written as it says, and every key is told."""

from __future__ import annotations

from pathlib import Path

from collectors.meter_profile import load_profile
from collectors.profile_words import SettingWords
from tests.docs.pages import ROOT, block

PAGE = ROOT / "docs" / "writing.md"


def test_the_settings_that_are_shown_are_read(tmp_path: Path) -> None:
    file = tmp_path / "ex-100.yaml"
    file.write_text(block(PAGE, "yaml profile writable"), encoding="utf-8")

    found = load_profile(str(file)).writable
    assert [(s.name, s.function) for s in found] == [("ct_primary", 6), ("demand_limit", 16), ("relay", 5)]


def test_every_key_of_a_setting_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [key for key in SettingWords.model_fields if f"`{key}`" not in text] == []
