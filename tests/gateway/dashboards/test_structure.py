"""Dashboards hold together as Grafana wants them, in both languages, and say the same whenever they are made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from energy.errors import EnergyError
from energy.names import Text
from energy.organisations import Organisation
from energy.quotas import Method, Quota, QuotaOf
from energy.validity import Validity
from gateway.dashboards.making import Known, dashboards, must_hide_nothing
from gateway.dashboards.marks import Fate, fate, is_ours, is_untouched
from gateway.dashboards.panels import Language, Model
from gateway.dashboards.sources import LEDGER, METRICS, READINGS, RECORDS, Source, Sources
from tests.gateway.ledger.sites import meter, organisation, place, site

ALL = tuple(Source(of, "here") for of in (LEDGER, RECORDS, READINGS, METRICS))
QUOTAS = [
    Quota("organisation/office", of, 2026, Decimal(9), Method.HANDED_DOWN, "letter", date(2026, 1, 1), factor_set=s)
    for of, s in ((QuotaOf.ELECTRICITY, None), (QuotaOf.ENERGY, "some"))
]
# What Grafana puts in place of these, and what is chosen above a dashboard.
_OWN = {"__interval", "__rate_interval", "__unixEpochFrom", "__unixEpochTo"}


def known(*names: str) -> Known:
    odd = Organisation("odd", Text("所谓“$__x”的', --", "So-called '$meter'"), parent="office")
    made = site(
        meter("main", place="hall", organisation="office"),
        meter("sub", "main", place="hall", organisation="odd"),
        places=[place("hall"), place("empty"), *(place(name) for name in names)],
        organisations=[organisation("office"), odd],
    )
    return Known(made, (), QUOTAS)


def made(language: Language = "en", sources: tuple[Source, ...] = ALL) -> list[Model]:
    return dashboards(known(), Sources(sources), language)


def boxes(model: Model) -> Iterator[tuple[int, int, int, int]]:
    for panel in model["panels"]:
        grid = panel["gridPos"]
        yield grid["x"], grid["y"], grid["x"] + grid["w"], grid["y"] + grid["h"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_panels_have_numbers_and_places_of_their_own_and_sources_that_exist(language: Language) -> None:
    models = made(language)
    there = {source.of.uid for source in ALL} | {"-- Mixed --"}

    assert len({m["uid"] for m in models}) == len({m["title"] for m in models}) == len(models) >= 7
    for model in models:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", model["uid"]) and len(model["tags"]) == 2
        numbers = [panel["id"] for panel in model["panels"]]
        assert numbers and len(set(numbers)) == len(numbers)
        for (x0, y0, x1, y1), (u0, v0, u1, v1) in combinations(boxes(model), 2):
            assert x1 <= u0 or u1 <= x0 or y1 <= v0 or v1 <= y0, model["title"]
        assert all(0 <= x0 < x1 <= 24 for x0, _, x1, _ in boxes(model))
        asking = [*model["panels"], *(t for p in model["panels"] for t in p["targets"]), *model["templating"]["list"]]
        assert {one["datasource"]["uid"] for one in asking} <= there
        for panel in model["panels"]:
            refs = [target["refId"] for target in panel["targets"]]
            assert refs and len(set(refs)) == len(refs)
        assert json.loads(json.dumps(model)) == model


def test_no_name_becomes_a_variable_and_every_variable_is_there() -> None:
    for model in [*made("zh"), *made("en")]:
        chosen = {v["name"] for v in model["templating"]["list"]}
        text = json.dumps(model, ensure_ascii=False)
        used = set(re.findall(r"\$\{?(\w+)", text))
        assert used <= _OWN | chosen, model["title"]


def test_links_lead_to_dashboards_that_are_made() -> None:
    models = made()
    uids = {m["uid"] for m in models}
    links = [link["url"] for m in models for link in m["links"]]

    assert links and {url.removeprefix("/d/") for url in links} <= uids


def test_what_cannot_be_asked_is_not_made() -> None:
    def kinds(*of: Any) -> set[str]:
        models = made(sources=tuple(s for s in ALL if s.of in of))
        return {m["uid"].split("-")[1] for m in models}

    assert kinds(LEDGER, RECORDS, READINGS, METRICS) == {"campus", "quota", "meters", "fleet", "contracts"}
    assert kinds(LEDGER) == {"campus", "meters"}
    assert kinds(READINGS) == {"meters", "fleet"}
    assert kinds(RECORDS) == {"contracts"}


def test_the_same_is_made_each_time_and_what_somebody_changed_is_known() -> None:
    first, again = made(), made()
    model = first[0]
    kept = {**model, "id": 7, "version": 3}

    assert first == again
    assert fate(None, model, force=False) is Fate.NEW
    assert is_ours(kept) and is_untouched(kept) and fate(kept, model, force=False) is Fate.SAME
    changed = {**kept, "title": "Mine"}
    assert fate(changed, model, force=False) is Fate.CHANGED
    assert fate(changed, model, force=True) is Fate.FORCED
    assert fate(changed, None, force=True) is Fate.CHANGED
    assert fate({**kept, "tags": []}, model, force=True) is Fate.FOREIGN
    assert fate(made("zh")[0] | {"id": 7}, model, force=False) is Fate.RENEWED


def test_what_a_site_hides_is_not_shown_by_accident() -> None:
    here = known().site
    hidden = replace(here, places=(replace(here.places[0], hidden=Validity()), *here.places[1:]))

    must_hide_nothing(here)
    with pytest.raises(EnergyError, match="place hall are hidden"):
        must_hide_nothing(hidden)
