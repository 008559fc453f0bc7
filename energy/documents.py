"""The operator's files: YAML read with its line numbers, checked whole, all faults told at once.

A fault reads `file:line: key = value: what is wrong; what would be right`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from energy.errors import ConfigurationError
from energy.names import Text

Way = tuple[str | int, ...]


class Words(BaseModel):
    """The base of everything that an operator may write: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NameWords(Words):
    """A name, or another text, in both languages."""

    zh: str
    en: str

    @property
    def text(self) -> Text:
        return Text(self.zh, self.en)


T = TypeVar("T", bound=BaseModel)
_TEXT = "tag:yaml.org,2002:str"
# An alias is written in a word and stands for all that it names: so many values may come of them, written out.
_DEEPEST, _MOST_ALIASED, _LONGEST_NUMBER = 64, 500_000, 400


class _Bounds(yaml.composer.Composer):
    """Counts what a document would become with its aliases written out, and refuses before anything of it is made."""

    def __init__(self) -> None:
        yaml.composer.Composer.__init__(self)
        self._deep = self._values = self._aliased = 0
        self._named: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[attr-defined]
        before, self._deep = self._values, self._deep + 1
        if self._deep > _DEEPEST:
            raise self._refused(event, f"is nested more than {_DEEPEST} deep")
        node = super().compose_node(parent, index)
        self._deep -= 1
        if isinstance(event, yaml.AliasEvent):
            size = self._named.get(id(node), 1)
            self._values += size
            self._aliased += size
        else:
            self._values += 1
            if getattr(event, "anchor", None) is not None:
                self._named[id(node)] = self._values - before
        if self._aliased > _MOST_ALIASED:
            raise self._refused(event, f"would have more than {_MOST_ALIASED} values of its aliases, written out")
        if isinstance(node, yaml.ScalarNode) and len(node.value) > _LONGEST_NUMBER and not node.tag.endswith(":str"):
            raise self._refused(event, f"holds a number of more than {_LONGEST_NUMBER} characters")
        return node

    def _refused(self, event: Any, text: str) -> yaml.MarkedYAMLError:
        return yaml.composer.ComposerError(None, None, text, event.start_mark)


class _Bounded(_Bounds, yaml.SafeLoader):
    """In Python: it tells best what is wrong."""

    def __init__(self, text: str) -> None:
        yaml.SafeLoader.__init__(self, text)
        _Bounds.__init__(self)


# PyYAML may have been built without libyaml.
_LIBYAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Fast(_Bounds, _LIBYAML):  # type: ignore[misc]
    """By libyaml, in a fifth of the time."""

    def __init__(self, text: str) -> None:
        _LIBYAML.__init__(self, text)
        _Bounds.__init__(self)


# On these the two do not agree: libyaml takes tabs and question marks within words, and overlooks a mark of byte order.
_DISPUTED = re.compile("[\t\r?\x85\u2028\u2029\ufeff]")


def _composed(text: str) -> yaml.Node | None:
    """The nodes of a document. What libyaml refuses is read again, to be told in the words of the other."""
    if not _DISPUTED.search(text):
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=_Fast)
    return yaml.compose(text, Loader=_Bounded)


class Document:
    """A YAML file as data, and the line on which each of its keys stands."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._lines: dict[Way, int] = {}
        self.faults: list[str] = []
        self.data: Any = None
        try:
            node = _composed(text)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigurationError([f"{path}:{line}: {_not_yaml(error)}"]) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise ConfigurationError([f"{path}:{line}: is not YAML: {error.reason}"]) from error
        self.data = self._construct(node, (), ()) if node is not None else {}

    def _construct(self, node: yaml.Node, way: Way, within: tuple[yaml.Node, ...]) -> Any:
        self._lines.setdefault(way, node.start_mark.line + 1)
        if node in within:
            self.faults.append(self.fault(way, "stands within itself"))
            return None
        within = (*within, node)
        if isinstance(node, yaml.MappingNode):
            made: dict[Hashable, Any] = {}
            for key_node, value_node in node.value:
                key = self._key(key_node, way)
                inner = (*way, key)
                if key in made:
                    self.faults.append(self.fault(inner, "is given twice; keep one", line=key_node.start_mark.line + 1))
                self._lines[inner] = key_node.start_mark.line + 1
                made[key] = self._construct(value_node, inner, within)
            return made
        if isinstance(node, yaml.SequenceNode):
            return [self._construct(child, (*way, i), within) for i, child in enumerate(node.value)]
        return self._scalar(node, way)

    def _key(self, node: yaml.Node, way: Way) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            text = "a key must be a plain word"
            self.faults.append(self.fault(way, text, line=node.start_mark.line + 1))
            return node.start_mark.index
        return self._scalar(node, way)

    def _scalar(self, node: yaml.Node, way: Way) -> Any:
        if node.tag == _TEXT:
            return node.value
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            text = getattr(error, "problem", None) or str(error)
            self.faults.append(self.fault(way, f"cannot be understood: {text}", line=node.start_mark.line + 1))
            return None
        finally:
            loader.dispose()

    def line(self, way: Sequence[str | int]) -> int:
        """The line of a key, or of the nearest thing above it that stands in the file."""
        at = tuple(way)
        while at not in self._lines and at:
            at = at[:-1]
        return self._lines.get(at, 1)

    def value(self, way: Sequence[str | int]) -> Any:
        """What stands under a key; None where nothing does."""
        found: Any = self.data
        for step in way:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def fault(self, way: Sequence[str | int], text: str, *, line: int | None = None) -> str:
        """The sentence for a fault at a key."""
        value = self.value(way)
        shown = (
            ""
            if value is None or isinstance(value, dict | list)
            else f" = {value}"
            if isinstance(value, date)
            else f" = {value!r}"
        )
        where = spelled(way)
        if where:
            return f"{self.path}:{line or self.line(way)}: {where}{shown}: {text}"
        return f"{self.path}:{line}: {text}" if line else f"{self.path}: {text}"


def _not_yaml(error: yaml.MarkedYAMLError) -> str:
    refused = error.problem and error.problem.startswith(("is nested", "would have", "holds "))
    return str(error.problem) if refused else f"is not YAML: {error.problem}"


def spelled(way: Sequence[str | int]) -> str:
    """The way to a key as one would write it.

    >>> spelled(("meters", 3, "unit"))
    'meters[3].unit'
    """
    text = ""
    for step in way:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def open_document(path: Path) -> Document:
    """Read a YAML file; ConfigurationError says why it cannot be."""
    try:
        return Document(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: is not UTF-8: {error.reason} at byte {error.start}"]) from error


def checked(document: Document, words: type[T]) -> T:
    """The document as `words`; ConfigurationError lists everything that does not fit."""
    found = list(document.faults)
    made: T | None = None
    try:
        made = words.model_validate(document.data)
    except ValidationError as error:
        found += [document.fault(_way(document, e["loc"]), _sentence(words, e)) for e in error.errors()]
    if found or made is None:
        raise ConfigurationError(sorted(found, key=line_of))
    return made


def line_of(fault: str) -> int:
    """The line that a fault names, 0 where it is about the file."""
    for part in fault.split(":")[1:3]:
        if part.isdigit():
            return int(part)
    return 0


def _way(document: Document, loc: tuple[str | int, ...]) -> Way:
    """The part of pydantic's location that stands in the file (it also names the members of unions)."""
    way: Way = ()
    for step in loc:
        if step == "[key]" or (document.value((*way, step)) is None and step != loc[-1]):
            continue
        way = (*way, step)
    return way


def _sentence(words: type[BaseModel], error: Any) -> str:
    kind, message = error["type"], str(error["msg"])
    if kind == "extra_forbidden":
        known = _keys_at(words, error["loc"][:-1])
        near = get_close_matches(str(error["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here are {', '.join(known)}"
        return f"is not a key here; {hint}"
    if kind == "missing":
        return "is missing and must be given"
    return message.removeprefix("Value error, ").removeprefix("Input ").replace("should be", "must be")


def _keys_at(words: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    model: Any = words
    for step in loc:
        if isinstance(step, int) or not isinstance(model, type) or not issubclass(model, BaseModel):
            continue
        field = model.model_fields.get(step)
        model = _model_in(field.annotation) if field is not None else model
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [f.alias or name for name, f in model.model_fields.items()]
    return []


def _model_in(annotation: Any) -> Any:
    """The model class inside an annotation such as list[Model] or dict[str, Model]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
