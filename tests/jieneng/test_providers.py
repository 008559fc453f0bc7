"""The file of identity providers: what is wrong is told at its line, and a secret is never in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from energy.errors import ConfigurationError
from gateway.accounts.provider import Providers, Second
from jieneng.providers import load_providers
from jieneng.shipped import shipped

HEAD = "page: https://energy.example/\nproviders:\n"
ONE = "  - {id: gov, name: {zh: 名, en: name}, issuer: https://sso.example, client_id: jieneng"


def _file(folder: Path, *more: str) -> Path:
    file = folder / "oidc.yaml"
    file.write_text(HEAD + "".join(f"{ONE}, {m}}}\n" if m else f"{ONE}}}\n" for m in more), encoding="utf-8")
    return file


def _secret(folder: Path, mode: int = 0o600, text: str = "s3cret\n") -> None:
    file = folder / "one.secret"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def test_without_a_file_there_are_none() -> None:
    assert load_providers(None) == Providers()


def test_a_provider_is_read_with_the_secret_of_its_file(tmp_path: Path) -> None:
    _secret(tmp_path)
    [one] = load_providers(_file(tmp_path, "secret_file: one.secret, second_factor: amr, hosts: [keys.example]")).all

    assert (one.id, one.secret, one.second, one.makes_accounts) == ("gov", "s3cret", Second.AMR, False)
    assert one.may_ask("https://keys.example/jwks")
    assert not one.may_ask("https://sso.example:8443/jwks")


def test_or_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIENENG_OIDC_TEST", "from outside")
    assert load_providers(_file(tmp_path, "secret_variable: JIENENG_OIDC_TEST")).all[0].secret == "from outside"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("secret: s3cret", "secret"),
        ("secret_file: one.secret", "can be read by others"),
        ("secret_file: none.secret", "cannot be read"),
        ("secret_file: one.secret, secret_variable: A", "give one of them"),
        ("secret_variable: JIENENG_NOT_THERE", "is not set"),
        ("scopes: [profile]", "must contain openid"),
        ("second_factor: never", "second_factor"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(tmp_path: Path, words: str, fault: str) -> None:
    _secret(tmp_path, 0o644)
    with pytest.raises(ConfigurationError, match=rf"oidc\.yaml:3: .*{fault}"):
        load_providers(_file(tmp_path, words))


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("networks: [10.20.0.0/99]", "10.20.0.0/99 is not a network"),
        ("proxy: 'ftp://proxy.example'", "is not an address such as https://host/path"),
        ("ca_file: none.pem", "none.pem holds no certificates that can be read"),
    ],
)
def test_a_way_out_that_is_none_is_refused_at_the_start(tmp_path: Path, words: str, fault: str) -> None:
    file = _file(tmp_path, "")
    file.write_text(f"{words}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=fault):
        load_providers(file)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="listed twice"):
        load_providers(_file(tmp_path, "", ""))


def test_the_example_lacks_nothing_but_the_secret() -> None:
    with pytest.raises(ConfigurationError, match=r"secret_file .*oidc-workbench\.secret cannot be read") as told:
        load_providers(shipped("oidc.example.yaml"))
    assert len(told.value.faults) == 1
