"""Mapping files: how the messages of other people's gateways are to be understood (docs/foreign-gateways.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from adapters.payload_paths import Path, RowsPath, TopicPattern
from adapters.scalars import Id
from energy.documents import Document, Way, Words, checked, line_of, open_document
from energy.errors import ConfigurationError, UnitError, UnknownName
from energy.quantities import quantity
from energy.units import factor

QualityWord = Literal["good", "uncertain", "bad"]
# The first level of every topic of Sparkplug B.
NAMESPACE = "spBv1.0"


def _topic(text: str) -> str:
    pattern = TopicPattern.parse(text)
    if TopicPattern.parse("jieneng/#").overlaps(pattern):
        raise ValueError(
            "jieneng/… is spoken by edges of Jieneng alone (docs/mqtt.md); a mapping takes what others say"
        )
    return text


def _path(text: str) -> str:
    Path.parse(text)
    return text


def _rows(text: str) -> str:
    RowsPath.parse(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is no time zone; write one such as Asia/Shanghai") from error
    return name


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


TopicText = Annotated[str, AfterValidator(_topic)]
PathText = Annotated[str, AfterValidator(_path)]
RowsText = Annotated[str, AfterValidator(_rows)]
ZoneText = Annotated[str, AfterValidator(_zone)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class QuantityWords(Words):
    """What a name of theirs is: (value · factor + offset) in `unit`, of `meter` where the row does not say of which."""

    is_: str = Field(alias="is")
    unit: str | None = None
    factor: Number = 1.0
    offset: Number = 0.0
    meter: Id | None = None
    missing: list[float | str] = []

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"is": given} if isinstance(given, str) else given


class MeterWords(Words):
    """Where the meter is named, in parts that are joined by `/`, and the ids that other names stand for."""

    from_: Annotated[list[PathText], BeforeValidator(_several)] = Field(alias="from", min_length=1)
    names: dict[str, Id] = {}


class TimeWords(Words):
    """Where the instant stands, and how it is written; `zone` is that of a text without an offset.

    `received`, written alone, says that it stands nowhere: it is then that of receipt, and uncertain.
    """

    at: PathText = "."
    unit: Literal["s", "ms", "us", "ns", "iso"] = "ms"
    zone: ZoneText | None = None
    format: str | None = None
    received: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if isinstance(given, str):
            if given != "received":
                raise ValueError("must be received, or say `at` and `unit`")
            return {"received": True}
        if isinstance(given, dict) and not {"at", "unit"} <= given.keys():
            raise ValueError("must say both `at` (where it stands) and `unit` (s, ms, us, ns or iso)")
        return given

    @model_validator(mode="after")
    def _texts(self) -> TimeWords:
        if self.unit != "iso" and (self.zone or self.format):
            raise ValueError("zone and format are for unit: iso; a count of seconds has none")
        return self


class ValuesWords(Words):
    """Values as an object of names (`of`), or one in each row (`name`, `value`); and where errors stand for them."""

    of: PathText | None = None
    errors: PathText | None = None
    name: PathText | None = None
    value: PathText | None = None
    error: PathText | None = None
    text: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> ValuesWords:
        if (self.of is None) == (self.name is None or self.value is None):
            raise ValueError("must say `of` (an object of names and values), or `name` and `value` (one in each row)")
        if self.of is None and self.errors is not None:
            raise ValueError("errors goes with `of`; say `error` for one in each row")
        if self.of is not None and (self.error or self.name or self.value):
            raise ValueError("name, value and error are for one in each row; `of` goes with `errors`")
        return self


class CodesWords(Words):
    """Which codes mean which quality; `otherwise` is that of any other."""

    good: list[str | int | bool] = []
    uncertain: list[str | int | bool] = []
    bad: list[str | int | bool] = []
    otherwise: QualityWord = "bad"


class QualityWords(CodesWords):
    """Where the quality stands; `absent` is that of a row without one."""

    at: PathText
    absent: QualityWord = "good"


class JsonWords(Words):
    """A mapping of payloads of JSON."""

    mapping: Id
    payload: Literal["json"]
    topics: Annotated[list[TopicText], Field(min_length=1)]
    rows: Annotated[list[RowsText], BeforeValidator(_several)] = ["."]
    meter: MeterWords | None = None
    time: TimeWords
    values: ValuesWords
    quality: QualityWords | None = None
    quantities: dict[str, QuantityWords] = Field(min_length=1)
    others: Literal["refuse", "ignore"] = "refuse"


def _level(text: str) -> str:
    if not text or set(text) & set("/#") or (text != "+" and "+" in text):
        raise ValueError("must be one level of a topic, or + for any")
    return text


Level = Annotated[str, AfterValidator(_level)]


class SparkplugWords(Words):
    """A mapping of Sparkplug B: the nodes of a group."""

    mapping: Id
    payload: Literal["sparkplug"]
    group: Level
    node: Level = "+"
    meter: MeterWords | None = None
    quality: CodesWords = CodesWords(good=[192], bad=[0, 500])
    quantities: dict[str, QuantityWords] = Field(min_length=1)
    others: Literal["refuse", "ignore"] = "refuse"
    rebirth: bool = True
    host: Id | None = None


MappingWords = JsonWords | SparkplugWords

_OF_NODE, _OF_DEVICE = ("NBIRTH", "NDATA", "NDEATH"), ("DBIRTH", "DDATA", "DDEATH")


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping as it was read."""

    path: FilePath
    words: MappingWords

    @property
    def id(self) -> str:
        return self.words.mapping

    @property
    def patterns(self) -> list[TopicPattern]:
        """The topics that it takes."""
        words = self.words
        if isinstance(words, JsonWords):
            return [TopicPattern.parse(text) for text in words.topics]
        of_node = [f"{NAMESPACE}/{words.group}/{kind}/{words.node}" for kind in _OF_NODE]
        of_device = [f"{NAMESPACE}/{words.group}/{kind}/{words.node}/+" for kind in _OF_DEVICE]
        return [TopicPattern.parse(text) for text in (*of_node, *of_device)]


def conversion(words: QuantityWords) -> tuple[Fraction, Fraction]:
    """Factor and offset from a value of theirs to the unit of the quantity, exact as written."""
    to_ours = factor(words.unit, quantity(words.is_).unit) if words.unit is not None else Fraction(1)
    return Fraction(repr(words.factor)) * to_ours, Fraction(repr(words.offset)) * to_ours


def read_mapping(path: FilePath, meters: Collection[str] | None = None) -> MappingFile:
    """Read a mapping file; ConfigurationError lists all that is wrong with it.

    meters : those that there are, if the mapping is to name no others.
    """
    document = open_document(path)
    kind = document.value(("payload",))
    if kind not in ("json", "sparkplug"):
        text = "must be json or sparkplug" if kind is not None else "is missing: write payload: json, or sparkplug"
        raise ConfigurationError([document.fault(("payload",), text)])
    words: MappingWords = checked(document, JsonWords) if kind == "json" else checked(document, SparkplugWords)
    faults = [
        document.fault(_written(document, way), text)
        for way, text in (*_of_quantities(words), *_of_names(words), *_of_meters(words, meters))
    ]
    if faults:
        raise ConfigurationError(sorted(faults, key=line_of))
    return MappingFile(path, words)


def _written(document: Document, way: Way) -> Way:
    """The way as it stands in the file, where one path may be written without a list."""
    return way[:-1] if isinstance(document.value(way[:-1]), str) else way


def read_mappings(folder: FilePath, meters: Collection[str] | None = None) -> list[MappingFile]:
    """Read all mapping files of a folder; ConfigurationError lists what is wrong with each, and between them."""
    if not folder.is_dir():
        raise ConfigurationError([f"{folder}: is no folder of mapping files"])
    faults: list[str] = []
    found: list[MappingFile] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(read_mapping(path, meters))
        except ConfigurationError as error:
            faults += error.faults
    faults += _between(found)
    if faults:
        raise ConfigurationError(faults)
    return found


def _of_quantities(words: MappingWords) -> Iterator[tuple[Way, str]]:
    seen: dict[tuple[str | None, str], str] = {}
    for name, one in words.quantities.items():
        way = ("quantities", name)
        try:
            conversion(one)
        except UnknownName as error:
            yield (*way, "is"), str(error)
            continue
        except UnitError as error:
            yield (*way, "unit"), str(error)
        if one.factor == 0:
            yield (*way, "factor"), "would make every value the same"
        if one.meter is None and words.meter is None:
            yield way, "names no meter: say `meter` for it, or `meter: {from: …}` for all"
        before = seen.setdefault((one.meter, one.is_), name)
        if before != name:
            yield way, f"is {one.is_}, as {before!r} is, of the same meter; one value of an instant can be kept"


def _of_names(words: MappingWords) -> Iterator[tuple[Way, str]]:
    """Paths that begin with what is not remembered, or further out than a row stands in."""
    if isinstance(words, SparkplugWords):
        for i, text in enumerate(words.meter.from_ if words.meter else ()):
            if text not in ("{group}", "{node}", "{device}"):
                yield ("meter", "from", i), "must be {group}, {node} or {device}"
        return
    rows = [RowsPath.parse(text) for text in words.rows]
    patterns = [TopicPattern.parse(text) for text in words.topics]
    known = frozenset.intersection(*(p.names for p in patterns)) | frozenset.intersection(*(r.names for r in rows))
    depth = min(r.depth for r in rows)
    for way, text in _paths(words):
        path = Path.parse(text)
        if path.name is not None and path.name not in known:
            have = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
            yield way, f"is remembered neither from every topic nor from the rows; remembered are {have}"
        if path.out is not None and path.out > depth:
            yield way, f"begins {path.out} outwards of a row, which stands in {depth}"
    for i, one in enumerate(patterns):
        if any(one.overlaps(other) for other in patterns[:i]):
            yield ("topics", i), "overlaps another of these topics; a message would be taken twice"


def _of_meters(words: MappingWords, meters: Collection[str] | None) -> Iterator[tuple[Way, str]]:
    named = [(("meter", "names", name), meter) for name, meter in (words.meter.names if words.meter else {}).items()]
    fixed = [(("quantities", name, "meter"), one.meter) for name, one in words.quantities.items() if one.meter]
    for way, meter in (*named, *fixed):
        if meters is not None and meter not in meters:
            near = get_close_matches(meter, meters, n=1)
            yield way, "is no meter of the site" + (f"; did you mean {near[0]!r}?" if near else "")


def _paths(words: JsonWords) -> Iterator[tuple[Way, str]]:
    if words.meter is not None:
        yield from ((("meter", "from", i), text) for i, text in enumerate(words.meter.from_))
    yield ("time", "at"), words.time.at
    for key in ("of", "errors", "name", "value", "error"):
        text = getattr(words.values, key)
        if text is not None:
            yield ("values", key), text
    if words.quality is not None:
        yield ("quality", "at"), words.quality.at


def _between(found: Sequence[MappingFile]) -> Iterator[str]:
    hosts = [one for one in found if isinstance(one.words, SparkplugWords) and one.words.host is not None]
    for one in hosts[1:]:
        yield f"{one.path}: host: a gateway is one host; {hosts[0].path} names it already"
    for i, one in enumerate(found):
        for other in found[:i]:
            if one.id == other.id:
                yield f"{one.path}: mapping = {one.id!r}: is the id of {other.path} too"
            if any(a.overlaps(b) for a in one.patterns for b in other.patterns):
                yield f"{one.path}: topics: overlap those of {other.path}; a message would be taken twice"
