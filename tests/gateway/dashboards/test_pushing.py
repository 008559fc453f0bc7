"""Dashboards come into a Grafana once, are renewed there, and nothing of anybody else's is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.grafana_server import GrafanaServer
from energy.errors import EnergyError, StoreError
from gateway.dashboards.files import Files
from gateway.dashboards.making import dashboards
from gateway.dashboards.marks import Fate
from gateway.dashboards.panels import Folder, Language, Model
from gateway.dashboards.pushing import Done, Pushing
from gateway.dashboards.sources import LEDGER, METRICS, READINGS, RECORDS, Secret, Source, Sources
from tests.gateway.dashboards.grafana_stub import TOKEN, GrafanaStub, grafana_stub
from tests.gateway.dashboards.test_structure import known

FOLDER = Folder("court", "Jieneng: Court")
EXTRA = "Consumption: some (place/extra)"


@pytest.fixture
def stub() -> Iterator[GrafanaStub]:
    with grafana_stub() as made:
        yield made


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    (tmp_path / "password").write_text("a secret\n")
    secret = {"password": Secret(str(tmp_path / "password"))}
    told = {"database": "ledger", "sslmode": "disable"}
    databases = [Source(of, "db:5432", "reader", told, secret) for of in (LEDGER, RECORDS)]
    return Sources((*databases, *(Source(of, "http://vm:8428") for of in (READINGS, METRICS))))


def models(sources: Sources, language: Language = "en", *, extra: bool = False) -> list[Model]:
    """With a dashboard of a node more, where it is asked for."""
    made = known()
    if extra:
        from dataclasses import replace

        from tests.gateway.ledger.sites import meter, place

        site = replace(
            made.site,
            places=(*made.site.places, place("extra")),
            meters=(*made.site.meters, meter("third", place="extra")),
        )
        made = replace(made, site=site)
    return dashboards(made, sources, language)


def push(stub: GrafanaStub, sources: Sources, made: list[Model], **how: bool) -> list[Done]:
    return [*Pushing(GrafanaServer(stub.url, TOKEN), **how).push(FOLDER, made, sources.all)]


def fates(done: list[Done]) -> set[Fate]:
    return {one.fate for one in done}


def test_pushing_twice_changes_nothing_the_second_time(stub: GrafanaStub, sources: Sources) -> None:
    made = models(sources)

    first = push(stub, sources, made)
    stub.asked.clear()
    second = push(stub, sources, made)

    assert fates(first) == {Fate.NEW} and fates(second) == {Fate.SAME}
    assert stub.changes == []
    assert stub.folders == {FOLDER.uid: "Jieneng: Court"}
    assert set(stub.folders_of.values()) == {FOLDER.uid}
    assert {uid: {**m, "id": 0} for uid, m in stub.dashboards.items()} == {
        m["uid"]: {**m, "id": 0, "version": 1} for m in made
    }
    assert stub.secrets["jieneng-ledger"] == {"password": "a secret"}
    assert "a secret" not in str(stub.sources)


def test_a_password_that_cannot_be_read_is_told_before_anything_is_done(
    stub: GrafanaStub, sources: Sources, tmp_path: Path
) -> None:
    (tmp_path / "password").unlink()

    with pytest.raises(EnergyError, match=r"password: cannot be read"):
        push(stub, sources, models(sources))
    assert stub.changes == []


def test_a_dry_run_tells_and_does_nothing(stub: GrafanaStub, sources: Sources) -> None:
    done = push(stub, sources, models(sources), dry=True)

    assert fates(done) == {Fate.NEW} and len(done) == 4 + len(models(sources))
    assert stub.changes == []


def test_what_is_other_now_is_renewed_where_it_lies(stub: GrafanaStub, sources: Sources) -> None:
    push(stub, sources, models(sources))
    uid = models(sources)[0]["uid"]
    stub.folders["theirs"] = "Theirs"
    stub.folders_of[uid] = "theirs"

    done = push(stub, sources, models(sources, "zh"))

    assert {d.fate for d in done if d.what == "dashboard"} == {Fate.RENEWED}
    assert stub.dashboards[uid]["title"].startswith("用能：") and stub.folders_of[uid] == "theirs"


def test_what_somebody_changed_is_left_alone_and_told_unless_it_is_forced(stub: GrafanaStub, sources: Sources) -> None:
    made = models(sources)
    push(stub, sources, made)
    uid = made[0]["uid"]
    stub.dashboards[uid]["panels"][0]["title"] = "Mine"
    stub.sources["jieneng-readings"]["url"] = "http://elsewhere:8428"

    left = [one for one in push(stub, sources, models(sources, "zh")) if one.left_alone]
    kept = stub.dashboards[uid]["panels"][0]["title"], stub.sources["jieneng-readings"]["url"]
    forced = push(stub, sources, made, force=True)

    assert {one.uid for one in left} == {uid, "jieneng-readings"}
    assert kept == ("Mine", "http://elsewhere:8428")
    assert next(one for one in forced if one.uid == uid).fate is Fate.FORCED
    assert stub.dashboards[uid]["panels"][0]["title"] == made[0]["panels"][0]["title"]
    assert stub.sources["jieneng-readings"]["url"] == "http://vm:8428"


def test_a_dashboard_of_somebody_else_is_never_touched(stub: GrafanaStub, sources: Sources) -> None:
    made = models(sources)
    theirs = {"uid": made[0]["uid"], "title": "Theirs", "tags": ["own"], "panels": [], "id": 90, "version": 4}
    # It carries our tag, but neither our uid nor the mark of our site.
    tagged = {"uid": "other", "title": "Tagged", "tags": ["jieneng"], "panels": [], "id": 91, "version": 1}
    elsewhere = {
        **made[1],
        "uid": "jieneng-campus-0",
        "tags": ["jieneng", "jieneng-site-other"],
        "id": 92,
        "version": 1,
    }
    for one in (theirs, tagged, elsewhere):
        stub.dashboards[str(one["uid"])] = one
        stub.folders_of[str(one["uid"])] = ""

    done = push(stub, sources, made, force=True)

    assert [one.uid for one in done if one.fate is Fate.FOREIGN] == [theirs["uid"]]
    assert [stub.dashboards[str(one["uid"])] for one in (theirs, tagged, elsewhere)] == [theirs, tagged, elsewhere]


def test_what_is_no_more_goes_unless_somebody_changed_it(stub: GrafanaStub, sources: Sources) -> None:
    push(stub, sources, models(sources, extra=True))
    [gone] = [uid for uid, m in stub.dashboards.items() if m["title"] == EXTRA]
    stub.dashboards[gone]["refresh"] = "5s"

    [left] = [one for one in push(stub, sources, models(sources)) if one.uid == gone]
    assert left.fate is Fate.CHANGED and gone in stub.dashboards
    stub.dashboards[gone]["refresh"] = ""
    assert Fate.GONE in fates(push(stub, sources, models(sources), dry=True)) and gone in stub.dashboards
    [done] = [one for one in push(stub, sources, models(sources)) if one.uid == gone]
    assert done.fate is Fate.GONE and gone not in stub.dashboards


def test_who_saves_between_reading_and_writing_is_not_overwritten(stub: GrafanaStub, sources: Sources) -> None:
    push(stub, sources, models(sources))
    uid = models(sources)[0]["uid"]

    def somebody_saves() -> None:
        stub.dashboards[uid] |= {"title": "Quick", "version": 2}

    stub.meanwhile = somebody_saves
    [left] = [one for one in push(stub, sources, models(sources, "zh")) if one.left_alone]

    assert left.uid == uid and "changed by someone else" in left.why
    assert stub.dashboards[uid]["title"] == "Quick"


def test_a_dashboard_that_comes_from_files_is_left_to_them(stub: GrafanaStub, sources: Sources) -> None:
    push(stub, sources, models(sources))
    uid = models(sources)[0]["uid"]
    stub.provisioned.add(uid)

    [left] = [one for one in push(stub, sources, models(sources, "zh")) if one.left_alone]

    assert (left.uid, left.why) == (uid, "it comes from provisioning files")


def test_refusals_are_told_without_the_token(stub: GrafanaStub, sources: Sources) -> None:
    with pytest.raises(StoreError, match=r"refuses \(401\): Invalid API key; the token wants the role Admin") as told:
        [*Pushing(GrafanaServer(stub.url, "wrong token")).push(FOLDER, [], sources.all)]
    assert "wrong token" not in str(told.value)
    with pytest.raises(StoreError, match="cannot be asked"):
        [*Pushing(GrafanaServer("http://127.0.0.1:9", TOKEN)).push(FOLDER, [], sources.all)]
    with pytest.raises(EnergyError, match="write http://HOST:3000"):
        GrafanaServer("grafana.example", TOKEN)


# -- files ------------------------------------------------------------------------------------------------------------


def content(folder: Path) -> dict[str, Any]:
    return {str(f.relative_to(folder)): f.read_text() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_files_are_written_once_renewed_and_left_alone_where_changed(tmp_path: Path, sources: Sources) -> None:
    into = tmp_path / "provisioning"

    def write(made: list[Model], **how: bool) -> list[Done]:
        return [*Files(into, dry=how.get("dry", False), force=how.get("force", False)).write(FOLDER, made, sources.all)]

    assert fates(write(models(sources, extra=True), dry=True)) == {Fate.NEW} and not into.exists()
    assert fates(write(models(sources, extra=True))) == {Fate.NEW}
    before = content(into)
    assert fates(write(models(sources, extra=True))) == {Fate.SAME} and content(into) == before
    assert "a secret" not in str(before) and f"$__file{{{tmp_path}/password}}" in before["datasources/jieneng.yaml"]

    first = into / "dashboards" / "jieneng" / f"{models(sources)[0]['uid']}.json"
    first.write_text(first.read_text().replace("Consumption: some (site/court)", "Mine"))
    done = write(models(sources))
    assert [one.uid for one in done if one.left_alone] == [first.stem]
    assert [one.title for one in done if one.fate is Fate.GONE] == [EXTRA]
    assert len(content(into)) == len(before) - 1 and "Mine" in first.read_text()
    write(models(sources), force=True)
    assert "Mine" not in first.read_text()
    theirs = into / "datasources" / "jieneng.yaml"
    theirs.write_text("apiVersion: 1\n")
    assert [one.fate for one in write(models(sources)) if one.uid == str(theirs)] == [Fate.FOREIGN]
    assert theirs.read_text() == "apiVersion: 1\n"


def test_who_dies_while_writing_leaves_whole_files_and_is_followed_by_one_who_ends_it(
    tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = models(sources)
    write_text = Path.write_text

    def half(file: Path, text: str, **how: Any) -> int:
        write_text(file, text[: len(text) // 2], **how)
        raise OSError("died")

    for fresh in (True, False):
        made = wanted if fresh else models(sources, extra=True)
        with monkeypatch.context() as dying:
            dying.setattr(Path, "write_text", half)
            with pytest.raises(OSError, match="died"):
                list(Files(tmp_path).write(FOLDER, made, sources.all if fresh else []))
        assert not any(done.left_alone for done in Files(tmp_path).write(FOLDER, made, sources.all))
        assert all(json.loads(file.read_text()) for file in tmp_path.rglob("*.json"))
