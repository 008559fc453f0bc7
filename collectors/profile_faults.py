"""What is wrong with a profile file beyond its single words, told in the same round as these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from collectors.profile_words import MarkingWords, ProfileWords, RegisterWords, SettingWords
from collectors.register_map import COIL, LENGTHS
from energy.documents import Document, Way
from energy.errors import EnergyError, UnitError
from energy.quantities import quantity
from energy.units import factor

_LAST = 65535


def profile_faults(document: Document, words: ProfileWords | None) -> list[str]:
    """All that does not fit together; where words are wrong there is no `words`, and what they hide is passed over."""
    data = document.data if isinstance(document.data, dict) else {}
    base = words.address_base if words else _whole(data, "address_base", 0, 400_001)
    most = words.max_registers if words else _whole(data, "max_registers", 125, 125)
    found = _Found(document, base, most)
    for name, register in _named(data, "registers"):
        found.of_register(name, register)
    for section in ("nameplate", "status"):
        for name, marking in _named(data, section):
            found.of_marking(section, name, marking)
    for name, setting in _named(data, "writable"):
        found.of_setting(name, setting)
    recordings = data.get("recordings")
    for i, recording in enumerate(recordings if isinstance(recordings, list) else []):
        found.of_recording(i, recording, dict(_named(data, "registers")))
    return found.faults


def _whole(data: Mapping[str, Any], key: str, otherwise: int, most: int) -> int:
    given = data.get(key)
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= most else otherwise


def _named(data: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    section = data.get(key)
    return ((str(name), given) for name, given in (section if isinstance(section, dict) else {}).items())


class _Found:
    """The faults of a file, gathered."""

    def __init__(self, document: Document, base: int, most: int) -> None:
        self._document, self._base, self._most = document, base, most
        self.faults: list[str] = []

    def of_register(self, name: str, given: Any) -> None:
        way: Way = ("registers", name)
        try:
            unit = quantity(name).unit
        except EnergyError as error:
            self._tell(way, str(error))
        else:
            self._unit(way, given, unit)
        try:
            words = RegisterWords.model_validate(given)
        except ValidationError:
            return
        parts = words.parts
        for k, part in enumerate(parts):
            inner: Way = (*way, "sum", k) if words.sum else way
            self._address(inner, part.address, part.type, LENGTHS[part.type])
        spans = [(p.address, p.address + LENGTHS[p.type]) for p in parts]
        if words.scale_from is not None:
            self._address((*way, "scale_from"), words.scale_from.address, words.scale_from.type, 1)
            spans.append((words.scale_from.address, words.scale_from.address + LENGTHS[words.scale_from.type]))
        self._span(way, spans, parts[0].type if len(spans) == 1 else None)

    def _unit(self, way: Way, given: Any, unit: str) -> None:
        written = given.get("unit") if isinstance(given, dict) else None
        try:
            if isinstance(written, str):
                factor(written, unit)
        except UnitError as error:
            if "there is no factor" in str(error):  # that a unit is not known is told of the word
                self._tell(way, str(error))

    def _address(self, way: Way, address: int, of_type: str, length: int) -> None:
        first, last = self._base, self._base + _LAST
        counted = f", since addresses here are counted from {first}" if first else ""
        if address < first:
            self._tell((*way, "address"), f"must be greater than or equal to {first}{counted}")
        elif address > last:
            self._tell((*way, "address"), f"must be less than or equal to {last}{counted}")
        elif address + length > last + 1:
            self._tell(way, f"{of_type} at address {address} reaches past {last}")

    def _span(self, way: Way, spans: list[tuple[int, int]], of_type: str | None) -> None:
        reach = max(end for _, end in spans) - min(start for start, _ in spans)
        if reach <= self._most:
            return
        if of_type is not None:
            self._tell(way, f"{of_type} is longer than max_registers {self._most}")
        else:
            self._tell(way, f"its parts span {reach} registers and must come from one reply of {self._most} at most")

    def of_marking(self, section: str, name: str, given: Any) -> None:
        try:
            words = MarkingWords.model_validate(given)
        except ValidationError:
            return
        length = words.length or LENGTHS[words.type]
        self._address((section, name), words.address, words.type, length)
        self._span((section, name), [(0, length)], words.type)

    def of_setting(self, name: str, given: Any) -> None:
        try:
            words = SettingWords.model_validate(given)
        except ValidationError:
            return
        length = 1 if words.type == COIL else LENGTHS[words.type]
        self._address(("writable", name), words.address, words.type, length)

    def of_recording(self, i: int, given: Any, registers: Mapping[str, Any]) -> None:
        values = given.get("values") if isinstance(given, dict) else None
        for name in values if isinstance(values, dict) else {}:
            if str(name) not in registers:
                self._tell(("recordings", i, "values", name), "is not among the registers of this profile")

    def _tell(self, way: Way, text: str) -> None:
        self.faults.append(self._document.fault(way, text))
