"""Secrets lie in files of their owner, and signatures tell what the gateway has said."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from adapters.secret_files import read_secret, write_public, write_secret
from adapters.site_signing import CHECKING_KEY, SIGNING_KEY, open_signing_key, read_checking_key
from energy.errors import EnergyError


def rights(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_secret_is_for_its_owner_alone_whatever_the_umask_and_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "password"
    before = os.umask(0)
    try:
        write_secret(file, b"old")
        file.chmod(0o644)
        write_secret(file, b"new")
    finally:
        os.umask(before)

    assert (read_secret(file), rights(file), rights(file.parent)) == (b"new", 0o600, 0o700)
    assert [f.name for f in file.parent.iterdir()] == ["password"]


def test_what_systemd_hands_over_may_look_readable_by_a_group_and_by_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    handed, beside = tmp_path / "credentials" / "client.key", tmp_path / "client.key"
    for file in (handed, beside):
        write_secret(file, b"secret")
        file.chmod(0o440)

    assert read_secret(handed) == b"secret"
    with pytest.raises(EnergyError, match="can be read by others"):
        read_secret(beside)
    handed.chmod(0o444)
    with pytest.raises(EnergyError, match="can be read by others"):
        read_secret(handed)


@pytest.mark.parametrize("wide", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path, wide: int) -> None:
    file = tmp_path / "password"
    write_secret(file, b"secret")
    file.chmod(wide)

    with pytest.raises(EnergyError, match=f"can be read by others; .* chmod 600 {file}"):
        read_secret(file)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    write_secret(file, b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnergyError, match="No space left"):
        write_secret(file, b"new")

    assert read_secret(file) == b"old"
    assert [f.name for f in tmp_path.iterdir()] == ["password"]


def test_what_the_gateway_signed_is_known_at_the_edge_and_nothing_else_is(tmp_path: Path) -> None:
    key = open_signing_key(tmp_path / "identities")
    write_public(tmp_path / "edge" / CHECKING_KEY, key.checking.pem)
    known = read_checking_key(tmp_path / "edge")
    signature = open_signing_key(tmp_path / "identities").sign(b"site")

    assert known.accepts(b"site", signature)
    assert not known.accepts(b"sight", signature)
    assert not known.accepts(b"site", signature[:-1])
    assert not known.accepts(b"site", open_signing_key(tmp_path / "others").sign(b"site"))
    assert rights(tmp_path / "identities" / SIGNING_KEY) == 0o600


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    write_secret(tmp_path / SIGNING_KEY, b"no key")
    (tmp_path / CHECKING_KEY).write_bytes(b"no key")

    with pytest.raises(EnergyError, match="is not a private key"):
        open_signing_key(tmp_path)
    with pytest.raises(EnergyError, match="is not a public key"):
        read_checking_key(tmp_path)
