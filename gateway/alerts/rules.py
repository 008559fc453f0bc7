"""The rules in the records: a whole file at a time, checked against the site before it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from analytics.alarms.rule_file import RuleBook, rules_of
from energy.documents import Document
from energy.ports import Clock
from energy.sites import Site
from gateway.alerts.tables import AlarmRulesRow
from gateway.records.base import table_of
from gateway.records.changes import Change
from gateway.records.database import Records
from gateway.records.documents import Documents, KeptDocument

NAME = Path("rules")


class Rules:
    """The rules that hold, and every file that they ever were."""

    def __init__(self, records: Records, clock: Clock, site: Callable[[], Site]) -> None:
        self._documents = Documents(records, clock, table_of(AlarmRulesRow), "alarm_rule", _told)
        self._site = site
        self._made: tuple[int, RuleBook] | None = None

    async def newest(self) -> KeptDocument:
        return await self._documents.newest()

    async def book(self) -> tuple[int, RuleBook]:
        """The rules that hold, and the number of their file; without the site: what has left it rings no more."""
        kept = await self.newest()
        if self._made is None or self._made[0] != kept.number:
            book = rules_of(Document(NAME, kept.document)) if kept.number else RuleBook()
            self._made = kept.number, book
        return self._made

    def check(self, document: str) -> RuleBook:
        """The rules of a file; ConfigurationError with a line for each thing that is wrong with it.

        Where the site has no meters yet, points are not looked up.
        """
        site = self._site()
        return rules_of(Document(NAME, document), site if site.meters else None)

    async def differences(self, document: str) -> list[Change]:
        self.check(document)
        return self._documents.differences((await self.newest()).document, document)

    async def save(self, document: str, who: str, why: str = "") -> list[Change]:
        """Let a file of rules hold from now on, all of it; ConfigurationError where anything is wrong with it."""
        self.check(document)
        return await self._documents.save(document, who, why)


def _told(document: str) -> Mapping[str, Mapping[str, str]]:
    """Each rule and each chain, key by key."""
    given = yaml.safe_load(document) or {}
    rules = {str(rule["id"]): _flat(rule) for rule in given.get("rules") or []}
    chains = {f"escalation.{level}": _flat(chain) for level, chain in (given.get("escalation") or {}).items()}
    return {**rules, **chains, **({"damped": {"": str(given["damped"])}} if "damped" in given else {})}


def _flat(words: Mapping[str, object]) -> dict[str, str]:
    return {
        str(k): v if isinstance(v, str) else yaml.safe_dump(v, allow_unicode=True).strip() for k, v in words.items()
    }
