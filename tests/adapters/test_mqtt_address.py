"""An address of a bus is checked before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mqtt_bus import MqttAddress
from energy.errors import EnergyError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://broker", MqttAddress("broker", 1883, False, None, None, None)),
        ("mqtt://broker:1884", MqttAddress("broker", 1884, False, None, None, None)),
        ("mqtts://broker", MqttAddress("broker", 8883, True, None, None, None)),
        ("mqtts://edge-7@broker?ca=ca.pem", MqttAddress("broker", 8883, True, "edge-7", None, "ca.pem")),
        ("mqtt://[2001:db8::7]:1885", MqttAddress("2001:db8::7", 1885, False, None, None, None)),
    ],
)
def test_an_address_names_a_broker(text: str, expected: MqttAddress) -> None:
    assert MqttAddress.parse(text) == expected


def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")

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
    ],
)
def test_an_address_that_names_no_broker_is_refused(text: str) -> None:
    with pytest.raises(EnergyError, match="bus"):
        MqttAddress.parse(text)


def test_a_password_file_that_is_not_there_is_told() -> None:
    with pytest.raises(EnergyError, match="/none/password"):
        MqttAddress.parse("mqtt://edge-7@broker?password_file=/none/password")
