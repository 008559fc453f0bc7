"""Where something stands in a message of others: levels of a topic, and paths into a payload of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_STEP = re.compile(r'(?P<key>[^.\[\]{}"$^]+)|"(?P<quoted>[^"]+)"|\[(?P<index>\d*)\]|\{(?P<name>[a-z][a-z0-9_]*)\}')


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """A topic with `+` for any level, `{name}` for one that is remembered, and `#` for all that follow."""

    text: str
    levels: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> TopicPattern:
        """The pattern that is written so; ValueError says what is wrong.

        >>> TopicPattern.parse("neuron/{node}/+").match("neuron/plant/g1")
        {'node': 'plant'}
        """
        levels = tuple(text.split("/"))
        names = [found[1] for level in levels if (found := _NAME.fullmatch(level))]
        if not text or "\0" in text:
            raise ValueError("is no topic")
        if levels[0] in ("#", "+") or levels[0].startswith(("$", "{")):
            raise ValueError("must begin with a word of its own: what else travels on the broker is not for it")
        for i, level in enumerate(levels):
            if level == "#" and i < len(levels) - 1:
                raise ValueError("# stands for all that follows, and only at the end")
            if level not in ("#", "+") and not _NAME.fullmatch(level) and set(level) & set("#+{}"):
                raise ValueError(f"level {level!r} must be a word, + or {{name}}; a part of a level cannot be chosen")
        if len(set(names)) < len(names):
            raise ValueError("gives one name to two levels")
        return cls(text, levels)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(found[1] for level in self.levels if (found := _NAME.fullmatch(level)))

    @property
    def subscription(self) -> str:
        """The same for a broker, to which levels have no names."""
        return "/".join("+" if _NAME.fullmatch(level) else level for level in self.levels)

    def match(self, topic: str) -> dict[str, str] | None:
        """What the named levels are in a topic; None where it is another."""
        given = topic.split("/")
        found: dict[str, str] = {}
        for i, level in enumerate(self.levels):
            if level == "#":
                return found
            if i >= len(given):
                return None
            if name := _NAME.fullmatch(level):
                found[name[1]] = given[i]
            elif level not in ("+", given[i]):
                return None
        return found if len(given) == len(self.levels) else None

    def overlaps(self, other: TopicPattern) -> bool:
        """Whether there is a topic that both stand for."""
        ours, theirs = self.subscription.split("/"), other.subscription.split("/")
        for one, another in zip(ours, theirs, strict=False):
            if "#" in (one, another):
                return True
            if one != another and "+" not in (one, another):
                return False
        longer = ours if len(ours) > len(theirs) else theirs
        return len(ours) == len(theirs) or longer[min(len(ours), len(theirs))] == "#"


class Row(NamedTuple):
    """A part of a payload that tells values: it, what it stands in from without inwards, and what was remembered."""

    value: Any
    around: tuple[Any, ...]
    names: Mapping[str, str]


class Nothing:
    """What a path finds where nothing stands."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Path:
    """A way to a value: keys by dots from the row, from `$` (the payload), from `^` (what the row stands in), `{name}`.

    out : how many levels outwards it begins; None at the payload.
    """

    text: str
    name: str | None
    out: int | None
    steps: tuple[str | int, ...]
    find: Callable[[Row], Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Path:
        """The path that is written so; ValueError says what is wrong.

        >>> Path.parse("tags.host").find(Row({"tags": {"host": "a"}}, (), {}))
        'a'
        """
        if found := _NAME.fullmatch(text):
            name = found[1]
            return cls(text, name, 0, (), lambda row: row.names.get(name, NOTHING))
        out: int | None = 0
        rest = text
        if text.startswith("$"):
            out, rest = None, text[1:].removeprefix(".")
        elif text.startswith("^"):
            rest = text.lstrip("^")
            out, rest = len(text) - len(rest), rest.removeprefix(".")
        steps = tuple(_steps(rest if rest != "." else ""))
        if any(not isinstance(step, _Key) for step in steps):
            raise ValueError("must lead to one value; [] and {name} stand in `rows`")
        keys = tuple(step.key for step in steps if isinstance(step, _Key))
        return cls(text, None, out, keys, _finder(out, keys))

    @property
    def outside(self) -> bool:
        """Whether it leads to the same value for all rows that stand in the same things."""
        return self.name is not None or self.out != 0


@dataclass(frozen=True, slots=True)
class RowsPath:
    """The way to the rows of a payload: keys by dots, `[]` for each of a list, `{name}` for each key of an object."""

    text: str
    steps: tuple[_Key | _Each | _Named, ...]

    @classmethod
    def parse(cls, text: str) -> RowsPath:
        """The path that is written so; ValueError says what is wrong.

        >>> [row.value for row in RowsPath.parse("metrics[]").rows({"metrics": [1, 2]}, {})]
        [1, 2]
        """
        return cls(text, tuple(_steps("" if text == "." else text.removeprefix("$").removeprefix("."))))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(step.name for step in self.steps if isinstance(step, _Named))

    @property
    def depth(self) -> int:
        """How many things a row stands in."""
        return sum(not isinstance(step, _Key) for step in self.steps)

    def fits(self, payload: Any) -> bool:
        """Whether the payload has what the path leads through, as far as its first list or object of rows."""
        for step in self.steps:
            if isinstance(step, _Key):
                payload = _taken(payload, step.key)
            else:
                return isinstance(payload, list if isinstance(step, _Each) else dict)
        return payload is not NOTHING

    def rows(self, payload: Any, names: Mapping[str, str]) -> Iterator[Row]:
        """The rows; ValueError where the payload is not made so."""
        return self._rows(payload, payload, 0, (), names)

    def _rows(
        self, value: Any, inside: Any, at: int, around: tuple[Any, ...], names: Mapping[str, str]
    ) -> Iterator[Row]:
        while at < len(self.steps) and isinstance(key := self.steps[at], _Key):
            value = _taken(value, key.key)
            at += 1
        if at == len(self.steps):
            if value is NOTHING:
                raise ValueError(f"has nothing at {self.text}")
            yield Row(value, around, names)
            return
        step = self.steps[at]
        around = (*around, inside)
        if isinstance(step, _Named):
            if not isinstance(value, dict):
                raise ValueError(f"has no object where {self.text} leads")  # noqa: TRY004  (of the payload, not of an argument)
            for key_, inner in value.items():
                yield from self._rows(inner, inner, at + 1, around, {**names, step.name: key_})
            return
        if not isinstance(value, list):
            raise ValueError(f"has no list where {self.text} leads")  # noqa: TRY004
        if at + 1 == len(self.steps):
            for inner in value:
                yield Row(inner, around, names)
            return
        for inner in value:
            yield from self._rows(inner, inner, at + 1, around, names)


@dataclass(frozen=True, slots=True)
class _Key:
    key: str | int


@dataclass(frozen=True, slots=True)
class _Each:
    pass


@dataclass(frozen=True, slots=True)
class _Named:
    name: str


def _steps(text: str) -> Iterator[_Key | _Each | _Named]:
    at = 0
    while at < len(text):
        if at and text[at] == ".":
            at += 1
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f'cannot be read from {text[at:]!r} on; write keys by dots, a key with a dot as "a.b"')
        at = found.end()
        if found["index"] is not None:
            yield _Key(int(found["index"])) if found["index"] else _Each()
        elif found["name"]:
            yield _Named(found["name"])
        else:
            yield _Key(found["key"] or found["quoted"])


def _taken(value: Any, key: str | int) -> Any:
    if isinstance(key, int):
        return value[key] if isinstance(value, list) and key < len(value) else NOTHING
    return value.get(key, NOTHING) if isinstance(value, dict) else NOTHING


def _finder(out: int | None, keys: tuple[str | int, ...]) -> Callable[[Row], Any]:
    if out == 0 and not keys:
        return lambda row: row.value
    if out == 0 and len(keys) == 1 and isinstance(keys[0], str):
        only = keys[0]
        return lambda row: row.value.get(only, NOTHING) if isinstance(row.value, dict) else NOTHING

    def find(row: Row) -> Any:
        if out is None:
            value = row.around[0] if row.around else row.value
        else:
            value = row.value if out == 0 else row.around[-out]
        for key in keys:
            value = _taken(value, key)
        return value

    return find
