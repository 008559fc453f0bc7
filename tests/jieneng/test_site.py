"""`jieneng site` as a stranger uses it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from jieneng.__main__ import jieneng

DEMO = Path(__file__).parents[2] / "config" / "demo.yaml"
SITE = """\
site: campus
name: {zh: 园区, en: Campus}
places:
  - {id: house, name: {zh: 楼, en: House}, kind: office}
meters:
  - {id: main, name: {zh: 总表, en: Main}, medium: water, place: house, read: [volume]}
"""


def run(folder: Path, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(jieneng, ["site", *arguments, "--data", str(folder / "var")], input=answer)


def written(folder: Path, text: str, name: str = "site.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_a_site_is_shown_confirmed_and_imported_once(tmp_path: Path) -> None:
    file = written(tmp_path, SITE)

    first, second = run(tmp_path, "import", file, answer="y\n"), run(tmp_path, "import", file)

    assert first.exit_code == 0, first.output
    assert "place house" in first.output
    assert "campus: 3 added, 0 changed, 0 removed" in first.output
    assert second.output == "campus: no difference\n"


def test_without_a_yes_nothing_is_changed(tmp_path: Path) -> None:
    file = written(tmp_path, SITE)

    refused = run(tmp_path, "import", file, answer="n\n")

    assert (refused.exit_code, "nothing was changed" in refused.output) == (1, True)
    assert "3 added" in run(tmp_path, "import", file, "--yes").output


def test_a_change_is_shown_field_by_field_and_kept_with_who_and_why(tmp_path: Path) -> None:
    run(tmp_path, "import", written(tmp_path, SITE), "--yes")

    text = SITE.replace("kind: office", "kind: hospital").replace("[volume]", "[volume, flow_rate]")
    shown = run(tmp_path, "import", written(tmp_path, text), "--yes", "--who", "wang", "--why", "letter 12")

    assert "campus: 0 added, 2 changed, 0 removed" in shown.output
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.output.splitlines() if "│" in line]
    assert ["place house", "kind", "office", "hospital"] in rows
    assert ["meter main", "quantities", '["volume"]', '["volume","flow_rate"]'] in rows
    told = run(tmp_path, "history", "--limit", "2").output
    assert "wang" in told
    assert "letter 12" in told
    assert "hospital" in told
    assert "campus" not in told


def test_the_demo_goes_out_and_in_again_without_a_difference(tmp_path: Path) -> None:
    run(tmp_path, "import", str(DEMO), "--yes")
    file = tmp_path / "out.yaml"

    out = run(tmp_path, "export", str(file))

    assert out.exit_code == 0, out.output
    assert run(tmp_path, "import", str(file)).output == "demo: no difference\n"
    assert run(tmp_path, "export").output == file.read_text(encoding="utf-8")


def test_a_profile_of_ones_own_is_found_from_where_the_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    profile = Path(__file__).parents[2] / "collectors" / "profiles" / "eastron" / "sdm630.yaml"
    written(tmp_path / "profiles", profile.read_text(encoding="utf-8"), "own.yaml")
    meter = "  - {id: sub, name: {zh: 分表, en: Sub}, medium: electricity, profile: profiles/own.yaml}\n"
    run(tmp_path, "import", written(tmp_path, SITE + meter), "--yes")
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "site.yaml"

    run(tmp_path, "export", str(file))

    assert "profile: ../profiles/own.yaml" in file.read_text(encoding="utf-8")
    assert run(tmp_path, "import", str(file)).output == "campus: no difference\n"


def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    nothing = run(tmp_path, "export")
    assert "the records hold no site yet" in str(nothing.exception)

    run(tmp_path, "import", written(tmp_path, SITE), "--yes")
    run(tmp_path, "import", written(tmp_path, SITE.replace("site: campus", "site: other")), "--yes")

    assert "hold the sites campus, other; name one with --id" in str(run(tmp_path, "export").exception)
    assert "site: other" in run(tmp_path, "export", "--id", "other").output
    wrong = run(tmp_path, "import", written(tmp_path, SITE.replace("place: house", "place: hut")), "--yes")
    assert "place 'hut' is none of house" in str(wrong.exception)
