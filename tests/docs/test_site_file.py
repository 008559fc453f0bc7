"""Site files, settings and profiles that are shown are read, and mistakes are told as shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters import site_words
from adapters.site_words import SiteWords
from collectors.meter_profile import BITS, ProfileWords, load_profile
from collectors.profile_check import check_profile
from collectors.profile_words import (
    SENTINELS,
    MarkingWords,
    PartWords,
    RecordingWords,
    RegisterWords,
    ScaleFromWords,
)
from collectors.simulators.campus import read_campus
from energy.documents import Words
from energy.errors import ConfigurationError
from energy.organisations import Basis, FactName
from gateway.sites.rows import rows_of, site_of
from jieneng.composition import load_installed
from jieneng.settings import SettingsWords, load_settings
from tests.docs.pages import ROOT, block, blocks
from tests.working_days import CHINA

PAGE = ROOT / "docs" / "site-file.md"
PROFILES = ROOT / "docs" / "profiles.md"
SIMULATED = ROOT / "docs" / "simulated-meters.md"
CALLED = {"wrong words": "site.yaml", "wrong whole": "site.yaml", "wrong profile": "ex-100.yaml"}


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_site_that_is_shown_is_read(tmp_path: Path) -> None:
    site = load_installed(written(tmp_path, "site.yaml", block(PAGE, "yaml site"))).site

    assert [m.id for m in site.meters] == ["office-main", "office-floor-1", "canteen-main", "canteen-water"]
    assert site.lines[1].timeout_s == 2.0
    assert site.meter("office-main").bounds("active_power") == (0, 400)


def test_the_shared_site_that_is_shown_is_read_and_kept_as_it_is(tmp_path: Path) -> None:
    site = load_installed(written(tmp_path, "site.yaml", block(PAGE, "yaml site shared"))).site

    assert [share.basis for share in site.shares] == ["fixed", "area"]
    assert site_of(rows_of(site)) == site


def test_every_fact_and_basis_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [word for word in (*FactName, *Basis) if f"`{word}`" not in text] == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_site_of_the_readme_is_read(tmp_path: Path, readme: str) -> None:
    shown = [b.text for b in blocks(ROOT / readme, "yaml")]

    assert len(shown) == 1
    assert len(load_installed(written(tmp_path, "site.yaml", shown[0])).site.meters) == 2


def test_both_readmes_show_the_same() -> None:
    english, chinese = (blocks(ROOT / name) for name in ("README.md", "README.zh-CN.md"))

    assert english == chinese


def test_the_settings_that_are_shown_are_read(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "settings.yaml", block(PAGE, "yaml settings")))

    assert settings.site == tmp_path / "site.yaml"
    assert (settings.edge, settings.broker_port) == ("town-hall", 18830)


WORDS = [found for found in vars(site_words).values() if isinstance(found, type) and issubclass(found, Words)]


@pytest.mark.parametrize("words", [*WORDS, SettingsWords])
def test_every_key_of_site_and_settings_is_told(words: type[Words]) -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert SiteWords in WORDS
    keys = [field.alias or name for name, field in words.model_fields.items()]
    assert [key for key in keys if f"`{key}`" not in text] == []


def test_every_key_of_a_profile_is_told() -> None:
    text = PROFILES.read_text(encoding="utf-8")

    assert [key for key in ProfileWords.model_fields if f"`{key}`" not in text] == []


def test_the_profile_that_is_shown_is_read(tmp_path: Path) -> None:
    profile = load_profile(str(written(tmp_path, "ex-100.yaml", block(PROFILES, "yaml profile"))))

    assert profile.max_registers == 60
    assert [len(r.parts) for r in profile.registers] == [1, 1, 1, 1, 1, 2]
    assert profile.register("power_factor").uncertain == "sign not stated in the manual"


def test_the_sections_that_are_shown_are_right_and_decode_as_told(tmp_path: Path) -> None:
    parts = [b.text for b in blocks(PROFILES, "yaml profile part")]
    file = written(tmp_path, "ex-100.yaml", "".join([block(PROFILES, "yaml profile"), *parts]))

    profile = check_profile(file).profile

    assert ([len(parts), len(profile.nameplate), len(profile.status), len(profile.recordings)]) == [2, 2, 2, 1]


@pytest.mark.parametrize(
    "words", [RegisterWords, PartWords, ScaleFromWords, MarkingWords, RecordingWords], ids=lambda w: w.__name__
)
def test_every_key_within_a_profile_is_told(words: type[Words]) -> None:
    text = PROFILES.read_text(encoding="utf-8")

    told = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`|^ +(?:- )?\w+:", text, re.M))))
    assert set(words.model_fields) <= told


def test_every_type_and_sentinel_is_told() -> None:
    text = PROFILES.read_text(encoding="utf-8")

    assert [name for name in (*BITS, *SENTINELS) if f"`{name}`" not in text] == []


def test_the_simulated_site_that_is_shown_can_be_played(tmp_path: Path) -> None:
    site = load_installed(written(tmp_path, "town-hall.yaml", block(SIMULATED, "yaml simulated site"))).site
    recipes = written(tmp_path, "town-hall-campus.yaml", block(SIMULATED, "yaml recipes"))

    campus = read_campus(recipes, site, datetime(2026, 1, 1, tzinfo=UTC), CHINA)

    assert [f.id for f in campus.faults] == ["dead-floor-1"]


@pytest.mark.parametrize("example", CALLED)
def test_mistakes_are_told_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    page = PROFILES if "profile" in example else PAGE
    monkeypatch.chdir(tmp_path)
    file = written(Path(), CALLED[example], block(page, f"yaml {example}"))

    with pytest.raises(ConfigurationError) as told:
        load_profile(str(file)) if page == PROFILES else load_installed(file)

    assert f"jieneng: {told.value}\n" == block(page, f"text {example}")
