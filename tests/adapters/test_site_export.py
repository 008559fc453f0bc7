"""A site that is written as a site file is read back as the same."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.scalars import seconds
from adapters.site_export import duration, site_text
from adapters.site_files import read_site
from energy.sites import Site
from tests.energy.random_sites import sites

CONFIG = Path(__file__).parents[2] / "config"


def read_back(text: str) -> Site:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "site.yaml"
        file.write_text(text, encoding="utf-8")
        return read_site(file)[0]


@given(sites())
def test_any_site_is_read_back_as_it_was(site: Site) -> None:
    assert site.faults() == []
    assert read_back(site_text(site)) == site


@pytest.mark.parametrize("file", sorted(CONFIG.glob("demo.yaml")), ids=lambda file: file.name)
def test_the_site_of_the_demo_is_read_back_as_it_was(file: Path) -> None:
    site, _ = read_site(file)

    assert read_back(site_text(site)) == site


@given(st.floats(min_value=1e-9, max_value=1e9))
def test_any_duration_is_read_back_as_it_was(given: float) -> None:
    assert seconds(duration(given)) == given


def test_codes_stand_in_quotes_where_yaml_would_read_a_number() -> None:
    text = (CONFIG / "demo.yaml").read_text(encoding="utf-8").replace("unit: 1,", "unit: 1, item: '01100',", 1)

    assert "item: '01100'" in site_text(read_back(text))
