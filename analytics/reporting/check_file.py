"""Reading files of check rules: all that is wrong told at once, by line (see docs/statistics.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

from pydantic import Field

from analytics.reporting.check_rules import Rule, RuleKind, Severity
from analytics.reporting.form_file import told
from analytics.reporting.forms import Form
from analytics.reporting.indicators import INDICATORS
from energy.confidence import Confidence
from energy.documents import Document, NameWords, Words, checked, open_document
from energy.errors import ConfigurationError


class RuleWords(Words):
    """A rule of the file."""

    id: str
    kind: RuleKind
    severity: Severity
    name: NameWords
    source: NameWords | str
    confidence: Confidence
    item: str | None = None
    indicator: str | None = None
    institution_class: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    least: Decimal = Decimal(0)


class RulesWords(Words):
    """A file of rules; `due_day` is the last day of the month after on which a month may be submitted."""

    version: str
    due_day: int = Field(ge=1, le=28)
    rules: list[RuleWords]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules of a file, in its order, its version, and the day of the month after by which filings are due."""

    version: str
    due_day: int
    rules: tuple[Rule, ...]


def read_rules(path: Path, forms: Sequence[Form]) -> RuleBook:
    """The rules of a file for these forms; ConfigurationError lists all that is wrong with it."""
    document = open_document(path)
    words = checked(document, RulesWords)
    items = {item.id for form in forms for item in form.items}
    faults: list[str] = []
    rules: list[Rule] = []
    for i, one in enumerate(words.rules):
        faults += _faults(document, i, one, words.rules[:i], items)
        try:
            rules.append(_rule(one))
        except ValueError as error:
            faults.append(document.fault(("rules", i), str(error)))
    if faults:
        raise ConfigurationError(faults)
    return RuleBook(words.version, words.due_day, tuple(rules))


def _rule(words: RuleWords) -> Rule:
    said = (words.name.text, told(words.source), words.confidence, words.item, words.indicator, words.institution_class)
    return Rule(words.id, words.kind, words.severity, *said, words.low, words.high, words.least)


def _faults(document: Document, i: int, words: RuleWords, above: Sequence[RuleWords], items: set[str]) -> list[str]:
    found = []
    if any(words.id == other.id for other in above):
        found.append(document.fault(("rules", i, "id"), "is the id of a rule already; give each its own"))
    if words.item is not None and words.item not in items:
        found.append(document.fault(("rules", i, "item"), f"is in no form; {_hint(words.item, sorted(items))}"))
    indicators = [one.id for one in INDICATORS]
    if words.indicator is not None and words.indicator not in indicators:
        hint = _hint(words.indicator, indicators)
        found.append(document.fault(("rules", i, "indicator"), f"is no indicator; {hint}"))
    return found


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
