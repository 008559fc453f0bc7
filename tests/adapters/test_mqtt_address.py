"""An address of a bus is checked before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mqtt_address import MqttAddress
from energy.errors import EnergyError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://broker", MqttAddress("broker", 1883, False, None, None, None)),
        ("mqtt://broker:1884", MqttAddress("broker", 1884, False, None, None, None)),
        ("mqtts://broker", MqttAddress("broker", 8883, True, None, None, None)),
        ("mqtts://edge-7@broker?ca=ca.pem", MqttAddress("broker", 8883, True, "edge-7", None, "ca.pem")),
        (
            "mqtts://broker?ca=ca.pem&cert=e.pem&key=e.key",
            MqttAddress("broker", 8883, True, None, None, "ca.pem", "e.pem", "e.key"),
        ),
        ("mqtt://[2001:db8::7]:1885", MqttAddress("2001:db8::7", 1885, False, None, None, None)),
    ],
)
def test_an_address_names_a_broker(text: str, expected: MqttAddress) -> None:
    assert MqttAddress.parse(text) == expected


def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    file.chmod(0o600)

    found = MqttAddress.parse(f"mqtts://edge-7@broker?password_file={file}")

    assert (found.user, found.password) == ("edge-7", "s3cret")
    assert "s3cret" not in str(found)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(EnergyError, match="a password does not stand in an address") as refused:
        MqttAddress.parse("mqtt://edge-7:s3cret@broker")

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "broker",
        "tcp://broker",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://broker:99999",
        "mqtt://broker:x",
        "mqtt://b?tls=1",
        "mqtts://b?cert=e.pem",
        "mqtt://b?ca=ca.pem",
    ],
)
def test_an_address_that_names_no_broker_is_refused(text: str) -> None:
    with pytest.raises(EnergyError, match="bus"):
        MqttAddress.parse(text)


def test_a_password_file_that_is_not_there_is_told() -> None:
    with pytest.raises(EnergyError, match="/none/password"):
        MqttAddress.parse("mqtt://edge-7@broker?password_file=/none/password")


def test_a_password_file_that_others_can_read_is_refused_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret")
    file.chmod(0o644)

    with pytest.raises(EnergyError, match=f"can be read by others; .* chmod 600 {file}") as refused:
        MqttAddress.parse(f"mqtts://edge-7@broker?password_file={file}")

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("text", ["mqtt://localhost", "mqtt://127.0.0.1:1884", "mqtt://127.3.2.1", "mqtt://[::1]"])
def test_on_this_machine_a_broker_may_be_reached_in_the_clear(text: str) -> None:
    MqttAddress.parse(text).must_be_guarded()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mqtt://broker", "TLS only: mqtts://broker"),
        ("mqtt://192.168.1.7:1883", "TLS only"),
        ("mqtts://broker", "nobody comes anonymously"),
        ("mqtts://edge-7@broker", "nobody comes anonymously"),
    ],
)
def test_beyond_it_nobody_comes_in_the_clear_or_anonymously(text: str, words: str) -> None:
    with pytest.raises(EnergyError, match=words):
        MqttAddress.parse(text).must_be_guarded()


def test_a_session_is_named_so_that_nobody_else_can_name_it(tmp_path: Path) -> None:
    def named(password: str) -> str:
        return MqttAddress("broker", 8883, True, "edge", password, None).client_id("jieneng-edge-a")

    assert named("one").startswith("jieneng-edge-a-")
    assert named("one") == named("one") != named("two")
    assert MqttAddress("127.0.0.1", 1883, False, None, None, None).client_id("jieneng-edge-a") == "jieneng-edge-a"
