"""Meters and the site that are shown are read, and every key is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from collectors.cjt188.make import RecordMakeWords
from collectors.dlt645.make import ItemMakeWords
from collectors.makes import addressed_ids, load_make
from jieneng.composition import load_installed
from tests.docs.pages import ROOT, block

PAGE = ROOT / "docs" / "chinese-meters.md"


def test_the_meters_that_are_shown_are_read(tmp_path: Path) -> None:
    for info, quantities in (("yaml item meter", 5), ("yaml record meter", 2)):
        file = tmp_path / f"{info}.yaml"
        file.write_text(block(PAGE, info), encoding="utf-8")
        assert len(load_make(str(file)).quantities) == quantities


def test_the_site_that_is_shown_is_read(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(block(PAGE, "yaml site addressed"), encoding="utf-8")

    assert [m.address for m in load_installed(file).site.meters] == ["000123456789", "78330011223344"]


def test_every_shipped_make_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in addressed_ids() if f"`{name}`" not in text] == []


@pytest.mark.parametrize("words", [ItemMakeWords, RecordMakeWords])
def test_every_key_is_told(words: type[BaseModel]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    schema = words.model_json_schema()
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})}

    assert sorted(key for key in keys if f"`{key}`" not in text) == []
