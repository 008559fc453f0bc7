"""The brokers, the ledgers and the stores of readings, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.brokers import STARTS, Broker
from tests.adapters.ledgers import addresses, opened
from tests.adapters.reading_stores import influxdb, influxdb_stub, store, victoria_metrics
from tests.real_parts import free_port

__all__ = ["addresses", "broker", "influxdb", "influxdb_stub", "opened", "store", "victoria_metrics"]


@pytest.fixture(params=STARTS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    made = Broker(STARTS[request.param], tmp_path, free_port())
    made.start()
    yield made
    made.stop()
