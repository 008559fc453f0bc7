"""What the page on gateways of others shows is what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.mapping_files import SparkplugWords, read_mapping
from jieneng.__main__ import jieneng
from tests.docs.pages import ROOT, block, blocks

PAGE = ROOT / "docs" / "foreign-gateways.md"
SHIPPED = sorted((ROOT / "config" / "mappings").glob("*.yaml"))


def test_the_message_that_is_shown_is_understood_as_is_shown(tmp_path: Path) -> None:
    (shown,) = [b for b in blocks(PAGE) if b.info.startswith("json mapped: ")]
    mapping, message = tmp_path / "plant.yaml", tmp_path / "message.json"
    mapping.write_text(block(PAGE, "yaml mapping"), encoding="utf-8")
    message.write_text(shown.text, encoding="utf-8")

    topic = shown.info.removeprefix("json mapped: ")
    at = ("--at", "2026-11-20T10:01:00+08:00")
    tried = CliRunner().invoke(jieneng, ["mappings", "try", str(mapping), "--topic", topic, str(message), *at])

    assert (tried.exit_code, tried.output) == (0, block(PAGE, "text tried"))


def test_a_message_that_brings_nothing_is_a_failure_and_says_why(tmp_path: Path) -> None:
    message = tmp_path / "message.json"
    message.write_text('{"timestamp": 1795140000000, "node": "x", "values": {"Q": 1}}', encoding="utf-8")
    shipped = ROOT / "config" / "mappings" / "neuron.yaml"
    tried = CliRunner().invoke(jieneng, ["mappings", "try", str(shipped), "--topic", "/neuron/a/b/c", str(message)])

    assert tried.exit_code == 1
    assert tried.output == "refused  Q  unknown quantity: is not among the quantities of the mapping\n"


def test_the_mapping_of_sparkplug_that_is_shown_is_one(tmp_path: Path) -> None:
    file = tmp_path / "halls.yaml"
    file.write_text(block(PAGE, "yaml sparkplug mapping"), encoding="utf-8")
    words = read_mapping(file).words

    assert isinstance(words, SparkplugWords)
    assert words.host == "town-hall"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_mapping_that_is_shipped_is_right_and_told_of(file: Path) -> None:
    checked = CliRunner().invoke(jieneng, ["mappings", "check", str(file)])

    assert checked.exit_code == 0, checked.output
    assert f"`{file.name}`" in PAGE.read_text(encoding="utf-8")


def test_a_folder_is_checked_as_a_gateway_would_read_it() -> None:
    checked = CliRunner().invoke(jieneng, ["mappings", "check", str(ROOT / "config" / "mappings")])

    assert checked.exit_code == 1
    assert "topics: overlap those of" in checked.output
