"""Payloads of JSON as readings, by a mapping that is compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapters.mapping_files import JsonWords, MeterWords
from adapters.payload_paths import NOTHING, Path, Row, RowsPath
from adapters.wire import Flag
from energy.ports import Message
from gateway.foreign.instants import reader
from gateway.foreign.taken import Gathering, Taken
from gateway.foreign.values import NO_NUMBER, RECEIVED, Codes, Entry, Mistyped, marked, worse
from gateway.ingest.reasons import (
    BROKEN_PAYLOAD,
    BROKEN_TIME,
    MISTYPED,
    UNKNOWN_METER,
    UNKNOWN_QUANTITY,
    must_be_utf8,
    shown,
)

_decode = msgspec.json.Decoder().decode


class MeterNames:
    """Where a meter is named, and whom other names stand for; `outside`: not in the row itself."""

    def __init__(self, words: MeterWords) -> None:
        self._find = [Path.parse(text).find for text in words.from_]
        self._from = " / ".join(words.from_)
        self._names = words.names
        self.outside = all(Path.parse(text).outside for text in words.from_)

    def meter(self, row: Row) -> str:
        """The id; LookupError says why there is none."""
        parts = [find(row) for find in self._find]
        for part in parts:
            if isinstance(part, bool) or not isinstance(part, str | int):
                raise LookupError(f"nothing at {self._from} names a meter")  # noqa: TRY004
        name = parts[0] if len(parts) == 1 and isinstance(parts[0], str) else "/".join(str(part) for part in parts)
        if not self._names:
            return name
        if name not in self._names:
            raise LookupError(f"{shown(name)!r} is not among the names of the mapping")
        return self._names[name]


class JsonRows:
    """Takes the messages of a mapping."""

    def __init__(self, words: JsonWords) -> None:
        self._sender = f"mapping/{words.mapping}"
        self._rows = [RowsPath.parse(text) for text in words.rows]
        self._names = MeterNames(words.meter) if words.meter is not None else None
        self._entries = {name: Entry(one) for name, one in words.quantities.items()}
        self._ignores = words.others == "ignore"
        self._text = words.values.text
        at = Path.parse(words.time.at)
        self._at, self._at_text, self._at_outside = at.find, at.text, at.outside
        self._read = None if words.time.received else reader(words.time)
        self._quality = _quality(words)
        self._of, self._errors = _find(words.values.of), _find(words.values.errors)
        self._name, self._value, self._error = (
            _find(words.values.name),
            _find(words.values.value),
            _find(words.values.error),
        )

    def take(self, message: Message, names: Mapping[str, str], now_ms: int) -> Taken:
        """What the message brings."""
        gathering = Gathering(self._sender, now_ms)
        try:
            must_be_utf8(message.payload)
            payload = _decode(message.payload)
            rows = next((path for path in self._rows if path.fits(payload)), self._rows[-1])
            before = _Before()
            for row in rows.rows(payload, names):
                self._row(row, before, message, gathering, now_ms)
        except (ValueError, RecursionError) as error:
            # Decoding fails as a ValueError too. What was gathered before a fault of the form is not taken either.
            broken = Gathering(self._sender, now_ms)
            begins = message.payload[:100].decode("utf-8", "replace")
            broken.refuse(BROKEN_PAYLOAD, f"{shown(error)}; begins {begins!r}")
            return broken.taken
        return gathering.taken

    def _row(self, row: Row, before: _Before, message: Message, gathering: Gathering, now_ms: int) -> None:
        same = row.around is before.around and row.names is before.names
        if not same:
            before.around, before.names, before.t_ms, before.meter = row.around, row.names, None, None
        try:
            if before.t_ms is None or not self._at_outside:
                before.t_ms = self._instant(row, message, now_ms)
            t_ms = before.t_ms
        except (ValueError, TypeError) as error:
            gathering.refuse(BROKEN_TIME, str(error))
            return
        if before.meter is None or self._names is None or not self._names.outside:
            before.meter = _Lazy(self._names, row)
        flag = self._quality(row) if self._quality is not None else None
        if self._read is None:
            flag = worse(RECEIVED, flag)
        if self._of is not None:
            self._object(row, before.meter, t_ms, flag, gathering)
        else:
            self._single(row, before.meter, t_ms, flag, gathering)

    def _instant(self, row: Row, message: Message, now_ms: int) -> int:
        if self._read is None:
            if message.retained:
                raise ValueError("a retained message that does not say of when it is")
            return now_ms
        given = self._at(row)
        if given is NOTHING:
            raise ValueError(f"nothing stands at {self._at_text}")
        try:
            return self._read(given)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{self._at_text} = {shown(given)!r}: {error}") from error

    def _object(self, row: Row, meter: _Lazy, t_ms: int, flag: Flag | None, gathering: Gathering) -> None:
        """Values as an object of names."""
        assert self._of is not None
        given = self._of(row)
        if isinstance(given, dict):
            usual = self._usual(meter, t_ms, gathering) if flag is None else None
            for name, raw in given.items():
                entry = self._entries.get(name)
                # Most values are numbers that are good as they are.
                if type(raw) is float and usual is not None and entry is not None and entry.goes_into(usual):
                    usual[entry.quantity] = raw
                else:
                    self._take(name, raw, meter, t_ms, flag, gathering)
        elif given is not NOTHING or self._errors is None:
            gathering.refuse(BROKEN_PAYLOAD, "a row has no object of values", t_ms=t_ms)
        errors = self._errors(row) if self._errors is not None else None
        if isinstance(errors, dict):
            for name in errors:
                if not isinstance(given, dict) or name not in given:
                    self._failed(name, meter, t_ms, gathering)

    def _usual(self, meter: _Lazy, t_ms: int, gathering: Gathering) -> dict[str, float | None] | None:
        """Where the values of the row's meter go; None where it names none."""
        try:
            return gathering.values(meter(), t_ms)
        except LookupError:
            return None

    def _single(self, row: Row, meter: _Lazy, t_ms: int, flag: Flag | None, gathering: Gathering) -> None:
        """One name and value."""
        assert self._name is not None
        assert self._value is not None
        name, raw = self._name(row), self._value(row)
        if not isinstance(name, str):
            gathering.refuse(BROKEN_PAYLOAD, "a row has no name of its value", t_ms=t_ms)
        elif raw is not NOTHING:
            self._take(name, raw, meter, t_ms, flag, gathering)
        elif self._error is not None and self._error(row) is not NOTHING:
            self._failed(name, meter, t_ms, gathering)
        else:
            gathering.refuse(BROKEN_PAYLOAD, f"{shown(name)!r} has no value", quantity=name, t_ms=t_ms)

    def _entry(self, name: str, t_ms: int, gathering: Gathering) -> Entry | None:
        entry = self._entries.get(name)
        if entry is None and not self._ignores:
            gathering.refuse(UNKNOWN_QUANTITY, "is not among the quantities of the mapping", quantity=name, t_ms=t_ms)
        return entry

    def _take(self, name: str, raw: object, meter: _Lazy, t_ms: int, flag: Flag | None, gathering: Gathering) -> None:
        entry = self._entry(name, t_ms, gathering)
        if entry is None:
            return
        try:
            value, why = entry.value(raw, text=self._text)
            gathering.add(entry.meter or meter(), t_ms, entry.quantity, value, worse(why, flag))
        except Mistyped as error:
            gathering.refuse(MISTYPED, str(error), entry.meter, name, t_ms)
        except LookupError as error:
            gathering.refuse(UNKNOWN_METER, str(error), None, name, t_ms)

    def _failed(self, name: str, meter: _Lazy, t_ms: int, gathering: Gathering) -> None:
        """Their gateway says that it could not read it."""
        entry = self._entry(name, t_ms, gathering)
        if entry is None:
            return
        try:
            gathering.add(entry.meter or meter(), t_ms, entry.quantity, None, NO_NUMBER)
        except LookupError as error:
            gathering.refuse(UNKNOWN_METER, str(error), None, name, t_ms)


class _Before:
    """The row before, whose instant and meter hold for its neighbours where they stand around them."""

    __slots__ = ("around", "meter", "names", "t_ms")

    def __init__(self) -> None:
        self.around: tuple[Any, ...] | None = None
        self.names: Mapping[str, str] | None = None
        self.t_ms: int | None = None
        self.meter: _Lazy | None = None


class _Lazy:
    """The meter of a row, looked for once it is asked for."""

    __slots__ = ("_found", "_names", "_row")

    def __init__(self, names: MeterNames | None, row: Row) -> None:
        self._names, self._row = names, row
        self._found: str | None = None

    def __call__(self) -> str:
        if self._found is None:
            if self._names is None:
                raise LookupError("the mapping names no meter for it")
            self._found = self._names.meter(self._row)
        return self._found


def _find(text: str | None) -> Callable[[Row], Any] | None:
    return None if text is None else Path.parse(text).find


def _quality(words: JsonWords) -> Callable[[Row], Flag | None] | None:
    if words.quality is None:
        return None
    find, codes, absent = Path.parse(words.quality.at).find, Codes(words.quality), marked(words.quality.absent)

    def flag(row: Row) -> Flag | None:
        code = find(row)
        return absent if code is NOTHING else codes.flag(code)

    return flag
