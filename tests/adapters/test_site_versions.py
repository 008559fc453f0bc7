"""Site files that travel: signed for one edge, read as a local file is, kept whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from adapters.site_files import read_site
from adapters.site_keeping import SiteKeeping
from adapters.site_signing import SigningKey, open_signing_key
from adapters.site_versions import SiteVersion, opened, plain_text, profile_name, signed
from energy.errors import EnergyError
from energy.extracts import extracts
from energy.sites import Site
from tests.energy.random_sites import sites

VERSION = SiteVersion(
    "north", 1_795_140_000, 1_795_140_000_000, "site: campus\n", {"profiles/own-1.yaml": "maker: x\n"}
)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return open_signing_key(tmp_path / "identities")


def test_what_was_signed_for_an_edge_is_opened_there(key: SigningKey) -> None:
    assert opened(signed(VERSION, key), key.checking, "north") == VERSION
    assert VERSION.name == f"1795140000-{VERSION.digest[:12]}"


def test_the_file_of_a_neighbour_is_refused(key: SigningKey) -> None:
    with pytest.raises(EnergyError, match="is for edge 'north', this one is 'south'"):
        opened(signed(VERSION, key), key.checking, "south")


def test_what_another_gateway_signed_is_refused(key: SigningKey, tmp_path: Path) -> None:
    stranger = open_signing_key(tmp_path / "stranger")

    with pytest.raises(EnergyError, match="is not signed by the gateway of this edge"):
        opened(signed(VERSION, stranger), key.checking, "north")


def test_a_file_that_was_touched_is_refused_wherever_it_was(key: SigningKey) -> None:
    message = json.loads(signed(VERSION, key))
    for old, new in (("campus", "elsewhere"), ("1795140000", "1795149999"), ("maker: x", "maker: y")):
        touched = {**message, "content": message["content"].replace(old, new, 1)}
        assert touched != message
        with pytest.raises(EnergyError, match="is not signed"):
            opened(json.dumps(touched).encode(), key.checking, "north")


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"\xff", b'{"content": "{}", "signature": "?"}', b'{"content": "\\ud800", "signature": ""}']
)
def test_what_is_no_signed_file_is_refused_in_words(key: SigningKey, payload: bytes) -> None:
    with pytest.raises(EnergyError, match=r"is no signed site file|is not signed"):
        opened(payload, key.checking, "north")


def test_what_is_signed_and_of_an_unknown_form_is_refused_in_words(key: SigningKey) -> None:
    content = msgspec.json.encode({"edge": "north"})
    message = {"content": content.decode(), "signature": ""}
    genuine = json.loads(signed(VERSION, key))
    assert set(genuine) == set(message)

    class Wrapped(SigningKey):
        def sign(self, _content: bytes) -> bytes:
            return key.sign(b"jieneng/v1/site\n" + content)

    message["signature"] = json.loads(signed(VERSION, Wrapped(key._key)))["signature"]
    with pytest.raises(EnergyError, match="of a form that this version of Jieneng does not know"):
        opened(json.dumps(message).encode(), key.checking, "north")


@given(sites())
@settings(max_examples=30)
def test_an_extract_is_the_same_when_it_has_travelled(tmp_path_factory: pytest.TempPathFactory, made: Site) -> None:
    file = tmp_path_factory.mktemp("travelled") / "site.yaml"
    for part in extracts(made, "north").values():
        file.write_text(plain_text(part), encoding="utf-8")

        assert read_site(file)[0] == part


def test_each_record_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    from tests.energy.test_extracts import SITE

    text = plain_text(extracts(SITE, "north")["north"])

    assert [line[:12] for line in text.splitlines() if '"id"' in line] == [
        '{"id":"plant', '{"id":"hall"', '{"id":"pumps', '{"id":"main"',
    ]  # fmt: skip


def test_what_is_kept_is_the_last_good_one_and_its_own_profiles_alone(tmp_path: Path, key: SigningKey) -> None:
    files = SiteKeeping(tmp_path / "handed")
    assert files.good() is None
    for number, text in ((1, "maker: x\n"), (2, "maker: y\n")):
        version = SiteVersion("north", number, 0, "site: campus\n", {profile_name("/etc/own.yaml", text): text})
        file = files.laid_out(version)
        files.keep(signed(version, key), version)

    assert files.good() == signed(version, key)
    assert file.read_text() == "site: campus\n"
    left = sorted(p.relative_to(tmp_path / "handed").as_posix() for p in tmp_path.glob("handed/**/*") if p.is_file())
    assert left == ["good.json", *sorted(version.profiles), file.name]


def test_a_profile_never_leaves_the_folder(tmp_path: Path) -> None:
    version = SiteVersion("north", 1, 0, "", {"profiles/../../x.yaml": "x"})

    with pytest.raises(EnergyError, match="which is no file beside it"):
        SiteKeeping(tmp_path / "handed").laid_out(version)
    assert list(tmp_path.rglob("x.yaml")) == []
