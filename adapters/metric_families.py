"""Figures for Prometheus, as edge and gateway tell them alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class Once(Collector):
    """Families that were made for one answer."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def gauge(name: str, told: str, value: float | None) -> Metric:
    """A figure; without a value it is named all the same, and has none."""
    family = GaugeMetricFamily(name, told)
    if value is not None:
        family.add_metric([], float(value))
    return family


def gauges(name: str, told: str, values: Mapping[str, float], label: str) -> Metric:
    """A figure for each value of a label."""
    family = GaugeMetricFamily(name, told, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
