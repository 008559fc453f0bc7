"""Reading form files: all that is wrong told at once, by line (see docs/statistics.md)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from analytics.carbon.factors import Carrier
from analytics.reporting.forms import Form, FormItem
from energy.confidence import Confidence
from energy.documents import Document, NameWords, Words, checked, open_document
from energy.errors import ConfigurationError, UnitError
from energy.sites import Text
from energy.units import dimension
from energy.validity import Validity


class ItemWords(Words):
    """An item of the form."""

    id: str
    name: NameWords
    unit: str
    carrier: Carrier | None = None
    part_of: str | None = None
    needed: bool = False
    fee: bool = True
    definition: NameWords = NameWords(zh="", en="")
    source: NameWords | str = ""
    confidence: Confidence


class FormWords(Words):
    """A form in one version; it holds from the day `valid_from` to the day before `valid_to`."""

    id: str
    version: str
    name: NameWords
    valid_from: date
    valid_to: date | None = None
    source: NameWords | str
    items: list[ItemWords]


def told(source: NameWords | str) -> Text:
    """A source as it is told: a title is the same in both languages where only one is given."""
    return Text(source, source) if isinstance(source, str) else source.text


def read_form(path: Path) -> Form:
    """The form of a file; ConfigurationError lists all that is wrong with it."""
    document = open_document(path)
    words = checked(document, FormWords)
    faults = [*_faults(document, words)]
    if faults:
        raise ConfigurationError(faults)
    items = tuple(_item(one, told(words.source)) for one in words.items)
    valid = Validity(words.valid_from, words.valid_to)
    return Form(words.id, words.version, words.name.text, valid, items, told(words.source))


def read_forms(folder: Path) -> tuple[Form, ...]:
    """The forms of a folder; two versions of one form that hold on one day are refused."""
    forms = [(path, read_form(path)) for path in sorted(folder.glob("*.yaml"))]
    faults = [
        f"{path}: holds {form.valid}, on days of {other.name}, which is a version of form {form.id} too; end one"
        for i, (path, form) in enumerate(forms)
        for other, kept in forms[:i]
        if kept.id == form.id and kept.valid.overlaps(form.valid)
    ]
    if faults:
        raise ConfigurationError(faults)
    return tuple(form for _, form in forms)


def _item(words: ItemWords, source: Text) -> FormItem:
    said = (words.unit, words.carrier, words.part_of, words.needed, words.fee, words.definition.text)
    return FormItem(words.id, words.name.text, *said, told(words.source) if words.source else source, words.confidence)


def _faults(document: Document, words: FormWords) -> list[str]:
    """What single words do not say: ids given twice, units that are none, parts of what is not there."""
    found = []
    if words.valid_to is not None and not words.valid_from < words.valid_to:
        found.append(document.fault(("valid_to",), f"must be after valid_from {words.valid_from}"))
    units: dict[str, str] = {}
    for one in words.items:
        if one.part_of is None:
            units.setdefault(one.id, one.unit)
    for i, one in enumerate(words.items):
        if any(one.id == other.id for other in words.items[:i]):
            found.append(document.fault(("items", i, "id"), "is an item already; give each its own id"))
        found += _unit_faults(document, i, one)
        if one.part_of is not None and one.part_of not in units:
            known = ", ".join(units)
            found.append(document.fault(("items", i, "part_of"), f"is no whole item of the form; there are {known}"))
        elif one.part_of is not None and units[one.part_of] != one.unit:
            text = f"must be {units[one.part_of]}, as {one.part_of} that it is a part of"
            found.append(document.fault(("items", i, "unit"), text))
    return found


def _unit_faults(document: Document, i: int, words: ItemWords) -> list[str]:
    try:
        dimension(words.unit)
    except UnitError as error:
        return [document.fault(("items", i, "unit"), str(error))]
    return []
