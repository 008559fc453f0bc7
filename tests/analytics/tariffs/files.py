"""Tariff files for tests: an electricity tariff around the keys that a test is about."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from analytics.tariffs.tariff import Tariff
from analytics.tariffs.tariff_file import read_tariffs
from energy.errors import ConfigurationError
from tests.docs.pages import ROOT

CONFIG = ROOT / "config" / "tariffs"
DAY_AND_NIGHT = "{peak: [07:00-23:00], valley: [23:00-07:00]}"


def head(medium: str = "electricity", unit: str = "kWh") -> str:
    """What stands before the versions, which begin on the third line."""
    name = "name: {zh: 电价, en: Tariff}"
    of = f"medium: {medium}, unit: {unit}, region: 示例, consumer_class: 示例"
    return f"tariffs:\n- {{id: t, {name}, {of},\n   versions: ["


def version(*keys: str, since: str = "2026-01-01", until: str | None = None) -> str:
    """A version, its first line and then each key on a line of its own."""
    end = f", valid_to: {until}" if until else ""
    rows = [f"{{valid_from: {since}{end}, source: a bill, confidence: verified", *keys]
    return ",\n".join(rows) + "}"


def file_text(*versions: str, medium: str = "electricity", unit: str = "kWh") -> str:
    return head(medium, unit) + ",\n".join(versions) + "]}\n"


def tariff(*versions: str, medium: str = "electricity", unit: str = "kWh") -> Tariff:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.yaml"
        path.write_text(file_text(*versions, medium=medium, unit=unit), encoding="utf-8")
        [found] = read_tariffs(path)
        return found


def faults(text: str) -> list[str]:
    """What a file is refused for, each beginning with its line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError) as refused:
            read_tariffs(path)
        return [fault.removeprefix(f"{path}:") for fault in refused.value.faults]
