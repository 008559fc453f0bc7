"""The page of supported meters is that of the shipped profiles."""

from __future__ import annotations

from collectors.meter_profile import load_profile, profile_ids
from jieneng.meter_pages import supported_meters
from tests.docs.generated import HOW, METERS


def test_the_page_is_that_of_the_profiles() -> None:
    page = METERS.read_text(encoding="utf-8")

    assert page == supported_meters(), f"docs/supported-meters.md is out of date; renew it with: {HOW}"


def test_traps_and_doubts_are_told() -> None:
    page = METERS.read_text(encoding="utf-8")
    profiles = [load_profile(name) for name in profile_ids()]

    for profile in profiles:
        assert all(trap in page for trap in profile.traps)
        assert all(r.uncertain in page for r in profile.registers if r.uncertain)
