"""Addresses that cannot be meant are told in words, and what may be a password in them is not."""

from __future__ import annotations

import pytest

from adapters.influx_client import InfluxAddress
from adapters.mqtt_address import MqttAddress
from adapters.postgres_address import PostgresAddress
from adapters.victoria_client import VictoriaAddress
from energy.errors import EnergyError

KINDS = {
    "mqtt://": MqttAddress,
    "mqtts://": MqttAddress,
    "victoria+http://": VictoriaAddress,
    "influx+http://": InfluxAddress,
    "postgresql://": PostgresAddress,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "rest",
    [
        "li:swordfish@",
        "li:swordfish@[::1",
        "li:swordfish@h:99999/a/b",
        "li:quokka/swordfish@h/a/b",
        "li:quokka@swordfish@h?colour=red",
        "li:swordfish@h/a/b/c?journal=j&token_file=t&colour=red",
    ],
)
def test_an_address_that_cannot_be_meant_is_told_without_its_password(kind: str, rest: str) -> None:
    with pytest.raises(EnergyError) as told:
        KINDS[kind].parse(kind + rest)  # type: ignore[attr-defined]
    assert "fish" not in str(told.value)
    assert "quokka" not in str(told.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_of_no_kind_is_told_without_its_password(kind: str) -> None:
    with pytest.raises(EnergyError) as told:
        KINDS[kind].parse("http+ftp://li:swordfish@h")  # type: ignore[attr-defined]
    assert "fish" not in str(told.value)
