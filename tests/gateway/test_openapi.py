"""The page's types are made from the description of the API that is kept in web/."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from gateway.api.openapi import openapi
from gateway.app import ROUTES
from gateway.live.words import PUSHED

KEPT = Path(__file__).parents[2] / "web" / "openapi.json"


def test_the_description_kept_for_the_page_is_the_present_one() -> None:
    present = json.loads(msgspec.json.encode(openapi(ROUTES, PUSHED)))

    assert json.loads(KEPT.read_text(encoding="utf-8")) == present, (
        "run `jieneng openapi > web/openapi.json`, then `npm run types` in web/"
    )


def test_no_two_things_of_the_api_have_one_name() -> None:
    names = openapi(ROUTES, PUSHED)["components"]["schemas"]

    assert not [name for name in names if "." in name], "two types of this name; a client cannot tell them apart"
