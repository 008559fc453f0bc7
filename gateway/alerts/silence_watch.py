"""Silence: meters of which no reading has come for too long, all looked at together, told by what has silenced them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from analytics.alarms.causes import SITE, Wiring, of_silence
from analytics.alarms.rules import Level, Rule, Silence
from energy.names import Text
from energy.numbering import UNKNOWN, OwnNumbers
from energy.readings import ReadingColumns
from energy.sites import Site
from gateway.alerts.alarm import Member, Raised, Standing
from gateway.edges.service import Edges

_READINGS, _ALLOWANCE_MS = 3, 10_000
# A meter on no line that was not heard of for a week before the start is not waited for: it was imported once.
_GONE_MS = 7 * 86_400_000
_NEVER = np.iinfo(np.int64).min


class SilenceWatch:
    """When each meter was read last, and which are silent. Meters that were never read are not waited for."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._names: list[str] = []
        self._number: dict[str, int] = {}
        self._meter_of = OwnNumbers(lambda points: [UNKNOWN] * len(points))
        self._last = np.empty(0, np.int64)
        self._allowed = np.empty(0, np.int64)
        self._rule: list[Silence | None] = []
        self._site: Site | None = None
        self._line_of: dict[str, str] = {}
        self._edge_of: dict[str, str] = {}
        # member -> cause, of what rings.
        self._ringing: dict[str, str] = {}
        self._awaited = np.empty(0, np.bool_)
        self.began_ms: int | None = None

    def learn(self, rules: Sequence[Rule], site: Site, standing: Iterable[Standing] = ()) -> None:
        """Watch these rules from now on. What is told of already is not told again before it is over."""
        before = dict(zip(self._names, self._last.tolist(), strict=True))
        silences = [rule for rule in rules if isinstance(rule, Silence)]
        meters = [m for m in site.meters if m.removed_on is None]
        chosen = [(m, next((r for r in silences if not r.meters or m.id in r.meters), None)) for m in meters]
        self._names = [m.id for m, _ in chosen]
        self._number = {name: i for i, name in enumerate(self._names)}
        self._meter_of = OwnNumbers(lambda points: [self._number.get(point.meter, UNKNOWN) for point in points])
        self._rule = [rule for _, rule in chosen]
        self._last = np.array([before.get(name, _NEVER) for name in self._names], np.int64)
        allowed = [
            max(rule.after_s * 1000, _READINGS * m.interval_s * 1000 + _ALLOWANCE_MS)
            if rule
            else np.iinfo(np.int64).max
            for m, rule in chosen
        ]
        self._allowed = np.array(allowed, np.float64)
        self._awaited = np.array([m.line is not None for m, _ in chosen], np.bool_)
        self._site = site
        self._line_of = {m.id: m.line for m in meters if m.line is not None}
        self._ringing |= {one.member.name: one.cause for one in standing if one.kind == "silence" and one.still}

    @property
    def meters(self) -> list[str]:
        """Those that are waited for by a rule."""
        return [name for name, rule in zip(self._names, self._rule, strict=True) if rule is not None]

    def take(self, columns: ReadingColumns) -> None:
        """Readings have come."""
        meter = self._meter_of.rows(columns)
        known = meter != UNKNOWN
        np.maximum.at(self._last, meter[known], columns.taken_at_ms[known])

    def look(self, now_ms: int) -> tuple[list[Raised], dict[str, dict[str, int]]]:
        """Who is silent by now, and who is back."""
        self._learn_edges()
        if self.began_ms is None:
            self.began_ms = now_ms
        since = np.where(self._last == _NEVER, now_ms, self._last).astype(np.float64)
        late = now_ms - since > self._allowed
        # While the gateway was away readings wait at the edges: each meter is given its time anew.
        silent = late & (now_ms - np.maximum(since, self.began_ms) > self._allowed)
        silent &= self._awaited | (since > self.began_ms - _GONE_MS)
        names = {self._names[i]: int(self._last[i]) for i in np.flatnonzero(silent).tolist()}
        still = {self._names[i] for i in np.flatnonzero(late | (self._last == _NEVER)).tolist()}
        back: dict[str, dict[str, int]] = {}
        for name in [n for n in self._ringing if n not in still]:
            back.setdefault(self._ringing.pop(name), {})[name] = now_ms
        fresh = {name: since_ms for name, since_ms in names.items() if name not in self._ringing}
        return self._raised(fresh, names), back

    def _learn_edges(self) -> None:
        for edge, meters in self._edges.meters().items():
            self._edge_of.update(dict.fromkeys(meters, edge))

    def _raised(self, fresh: Mapping[str, int], silent: Mapping[str, int]) -> list[Raised]:
        if not fresh:
            return []
        wiring = Wiring(self._line_of, self._edge_of)
        known = set(self._ringing.values())
        causes = of_silence(list(silent), wiring, self._edges.offline(), known)
        found = []
        for cause, meters in causes.items():
            new = [meter for meter in meters if meter in fresh]
            if new:
                found.append(self._one(cause, new, fresh))
                self._ringing |= dict.fromkeys(new, cause)
        return found

    def _one(self, cause: str, meters: list[str], since_ms: Mapping[str, int]) -> Raised:
        rules = [rule for m in meters if (rule := self._rule[self._number[m]]) is not None]
        head = max((rule.head for rule in rules), key=lambda h: h.level.rank) if rules else None
        _, kind, name = (*cause.split("/", 2), "")[:3]
        members = tuple(Member(meter, since_ms[meter]) for meter in meters)
        subject = name if kind == "meter" else f"{kind}/{name}".rstrip("/")
        return Raised(
            cause,
            "silence",
            head.level if head else Level.WARNING,
            subject,
            self._title(cause, kind, name, len(meters)),
            min(since_ms.values() if cause == SITE else (since_ms[m] for m in meters)),
            members,
            first=head.first if head else Text("", ""),
            rule=head.id if head else None,
        )

    def _title(self, cause: str, kind: str, name: str, count: int) -> Text:
        if kind == "meter" and self._site is not None:
            meter = self._site.meter(name)
            return Text(f"{meter.name.zh}：无读数", f"{meter.name.en}: no readings")
        many = Text(f"{count} 块表无读数", f"{count} meters without readings")
        if cause == SITE:
            return Text(f"全站 {many.zh}", f"The whole site: {many.en}")
        what = Text("采集端", "Edge") if kind == "edge" else Text("线路", "Line")
        return Text(f"{what.zh} {name}：{many.zh}", f"{what.en} {name}: {many.en}")
