"""The image is made of what is here, held against hashes, and runs without rights. It is not built here."""

from __future__ import annotations

import re
from fnmatch import fnmatch

from tests.deploy.stack import ROOT
from tools.runtime_lock import locks

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
STAGES = re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)


def lines(word: str, text: str = DOCKERFILE) -> list[str]:
    return [line.removeprefix(f"{word} ") for line in text.splitlines() if line.startswith(f"{word} ")]


def ignored(path: str) -> bool:
    """As the builder sees it: the last pattern that fits a path or a folder above it decides."""
    above = [path]
    while "/" in above[-1]:
        above.append(above[-1].rpartition("/")[0])
    verdict = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if line and not line.startswith("#"):
            names = [one.rpartition("/")[2] for one in above] if "**/" in line else above
            verdict = not line.startswith("!") if any(fnmatch(name, pattern) for name in names) else verdict
    return verdict


def test_what_is_copied_is_here_and_reaches_the_builder() -> None:
    copied = [part for line in lines("COPY") if "--from" not in line for part in line.split()[:-1]]

    assert len(copied) > 10
    for one in copied:
        assert (ROOT / one).exists(), one
        assert not ignored(one.rstrip("/")), one


def test_nothing_else_reaches_the_builder() -> None:
    for one in (".git", "var", "var/records.sqlite", ".venv", "tests", "web/node_modules", "gateway/static", ".env"):
        assert ignored(one), one
    assert not ignored("web/src/main.ts")


def test_stages_stand_on_pinned_images() -> None:
    bases = dict(line.split("=", 1) for line in lines("ARG"))

    # Of the server in the compose file: pg_dump saves from one that is not newer than itself.
    assert bases.pop("POSTGRES_CLIENT") == "postgresql-client-15"
    assert bases.pop("PAPER_FONT") == "fonts-wqy-microhei"
    assert bases.keys() == {"NODE", "PYTHON"}
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+", image) for image in bases.values())
    assert all("${NODE}" in line or "${PYTHON}" in line for line in lines("FROM"))


def test_packages_are_held_against_their_hashes_and_are_those_of_the_lock() -> None:
    for name, text in locks().items():
        assert (ROOT / "deploy" / "locks" / name).read_text(encoding="utf-8") == text, "python -m tools.runtime_lock"
        assert f"--require-hashes --only-binary=:all: -r /src/deploy/locks/{name}" in DOCKERFILE
    assert "pytest" not in locks()["runtime.lock"]
    # What stores and Grafana of others need, so that an address is all that has to be changed.
    assert all(f"\n{name}==" in locks()["runtime.lock"] for name in ("influxdb-client", "grafana-api"))


def test_the_image_runs_without_rights_and_tells_how_it_is() -> None:
    last = STAGES[-1]

    assert lines("USER", last) == ["10001:10001"]
    assert lines("HEALTHCHECK", last)
    assert lines("ENTRYPOINT", last) == ['["/opt/jieneng/bin/jieneng"]']
    # What builds is left behind.
    assert "COPY --from=installed /opt/jieneng/ /opt/jieneng/" in last
    assert "npm" not in last
    assert "pip" not in last
