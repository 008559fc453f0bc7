"""Checking a filing before it is submitted, and again at review: what is wrong, by which bound, and whose that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from analytics.reporting.check_rules import Rule, RuleKind, Severity
from analytics.reporting.filings import Filing, Origin, Size
from analytics.reporting.forms import Cell, CellKind, Form, FormItem
from analytics.reporting.indicators import Result
from energy.sites import Text

# A figure of less than this many digits may well be the same twice.
_COPY_DIGITS = 4
_ROUND = Decimal(1000)
_WAN = Decimal(10_000)
# Two items are exchanged where each is this near to what the other was, and not near to what it was itself.
_NEAR, _FAR = Decimal("0.2"), Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule finds in a filing; `cells` are those that it is about."""

    rule: Rule
    cells: tuple[Cell, ...]
    text: Text

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    @property
    def key(self) -> str:
        """What tells it from others of the filing; a reason that is given for it is kept under this."""
        return ":".join((self.rule.id, *map(str, self.cells)))


@dataclass(frozen=True, slots=True)
class Beside:
    """What a filing is compared with; what is not known is left out, and nothing is found by it.

    last_year : the same period a year before. others : filings of other periods, to find copies. billed : what bills
    say of items that meters filled, in the unit of the item. indicators : of this filing, by id.
    """

    institution_class: str | None = None
    last_year: Filing | None = None
    others: Sequence[Filing] = ()
    billed: Mapping[str, Decimal] = field(default_factory=dict)
    indicators: Mapping[str, Result] = field(default_factory=dict)


Found = Iterator[tuple[tuple[Cell, ...], Text]]


def check(form: Form, filing: Filing, rules: Iterable[Rule], beside: Beside) -> list[Fault]:
    """All that the rules find in a filing, the gravest first."""
    looking = _Looking(form, filing, beside)
    found = [
        Fault(rule, cells, text)
        for rule in rules
        if rule.holds_for(beside.institution_class) and rule.fits(form)
        for cells, text in looking.by(rule)
    ]
    order = list(Severity)
    return sorted(found, key=lambda fault: order.index(fault.severity))


class _Looking:
    """One filing under the rules."""

    def __init__(self, form: Form, filing: Filing, beside: Beside) -> None:
        self._form, self._filing, self._beside = form, filing, beside
        self._values = _by_item(filing)
        self._then = None if beside.last_year is None else _by_item(beside.last_year)[CellKind.QUANTITY]
        self._looks: Mapping[RuleKind, Callable[[Rule], Found]] = {
            RuleKind.NEEDED: self._needed,
            RuleKind.PAIRED: self._paired,
            RuleKind.NEGATIVE: self._negative,
            RuleKind.PART: self._part,
            RuleKind.PRICE: self._price,
            RuleKind.FEE_UNIT: self._fee_unit,
            RuleKind.LAST_YEAR: self._last_year,
            RuleKind.COPIED: self._copied,
            RuleKind.ROUND: self._round,
            RuleKind.SWAPPED: self._swapped,
            RuleKind.SIZE: self._size,
            RuleKind.BAND: self._band,
            RuleKind.METER_AND_BILL: self._meter_and_bill,
            RuleKind.DOUBTFUL: self._doubtful,
        }

    def by(self, rule: Rule) -> Found:
        return self._looks[rule.kind](rule)

    def _price_of(self, item: str) -> Decimal | None:
        """Yuan per unit; None where there is none."""
        quantity, fee = self._values[CellKind.QUANTITY].get(item), self._values[CellKind.FEE].get(item)
        return fee / quantity if quantity and fee else None

    def _items(self, rule: Rule) -> Iterator[FormItem]:
        return (one for one in self._form.items if rule.item in (None, one.id))

    def _needed(self, rule: Rule) -> Found:
        for one in self._items(rule):
            if one.needed and self._values[CellKind.QUANTITY].get(one.id) is None:
                text = Text(f"未填报{one.name.zh}；没有消费请填 0", f"{one.name.en} is empty; where none was used, 0")
                yield (_quantity(one.id),), text

    def _paired(self, rule: Rule) -> Found:
        for one in self._items(rule):
            quantity, fee = self._values[CellKind.QUANTITY].get(one.id), self._values[CellKind.FEE].get(one.id)
            if one.fee and quantity and fee is None:
                yield (_fee(one.id),), Text(f"{one.name.zh}有消费量，没有费用", f"{one.name.en} has a quantity, no fee")
            elif fee and not quantity:
                text = Text(f"{one.name.zh}有费用，没有消费量", f"{one.name.en} has a fee, no quantity")
                yield (_quantity(one.id),), text

    def _negative(self, rule: Rule) -> Found:
        for cell, filled in self._filing.cells.items():
            if filled.value < 0 and rule.item in (None, cell.item):
                name = self._form.item(cell.item).name
                yield (cell,), Text(f"{name.zh} {filled.value} 小于 0", f"{name.en} {filled.value} is below 0")

    def _part(self, rule: Rule) -> Found:
        for one in self._items(rule):
            for kind in CellKind:
                part = self._values[kind].get(one.id)
                whole = None if one.part_of is None else self._values[kind].get(one.part_of)
                if one.part_of is not None and part is not None and part > (whole or 0):
                    name, of = one.name, self._form.item(one.part_of).name
                    zh = f"{name.zh} {part} 大于{of.zh} {_shown(whole, 'zh')}"
                    en = f"{name.en} {part} is more than {of.en}, {_shown(whole, 'en')}"
                    yield (Cell(one.id, kind), Cell(one.part_of, kind)), Text(zh, en)

    def _price(self, rule: Rule) -> Found:
        for one in self._items(rule):
            price = self._price_of(one.id)
            if price is None or rule.low is None or rule.high is None or rule.low <= price <= rule.high:
                continue
            if _wan(price, rule.low, rule.high) is not None:
                # That is told as what it is, by the rule for it.
                continue
            zh = f"{one.name.zh}单价 {price:.4f} 元/{one.unit}，参考 {rule.low}–{rule.high}（{rule.source.zh}）"
            en = f"{one.name.en} costs {price:.4f} yuan/{one.unit}; {rule.low} to {rule.high} by {rule.source.en}"
            yield (_quantity(one.id), _fee(one.id)), Text(zh, en)

    def _fee_unit(self, rule: Rule) -> Found:
        for one in self._items(rule):
            price = self._price_of(one.id)
            factor = (
                None if price is None or rule.low is None or rule.high is None else _wan(price, rule.low, rule.high)
            )
            if factor is not None:
                zh = f"{one.name.zh}费用像是按{'万元' if factor > 1 else '元以下单位'}填报；应为元"
                en = f"the fee of {one.name.en} looks {_WAN} times too {'small' if factor > 1 else 'large'}; give yuan"
                yield (_fee(one.id),), Text(zh, en)

    def _last_year(self, rule: Rule) -> Found:
        for one in self._items(rule) if self._then is not None else ():
            now, then = self._values[CellKind.QUANTITY].get(one.id), (self._then or {}).get(one.id)
            if now is None or not then or rule.high is None or abs(now - then) < rule.least:
                continue
            change = (now - then) / then
            if abs(change) > rule.high:
                zh = f"{one.name.zh}同比 {change:+.1%}，超过 ±{rule.high:.0%}（上年同期 {then}）"
                en = f"{one.name.en} {change:+.1%} on last year's {then}, beyond ±{rule.high:.0%}"
                yield (_quantity(one.id),), Text(zh, en)

    def _copied(self, rule: Rule) -> Found:
        for one in self._items(rule):
            now = self._values[CellKind.QUANTITY].get(one.id)
            if now is None or len(str(abs(now)).replace(".", "").strip("0")) < _COPY_DIGITS:
                continue
            same = [other.period for other in self._beside.others if other.value(one.id) == now]
            if same:
                zh, en = f"{one.name.zh} {now} 与 {same[0]} 相同", f"{one.name.en} {now} is the same as in {same[0]}"
                yield (_quantity(one.id),), Text(zh, en)

    def _round(self, rule: Rule) -> Found:
        for one in self._items(rule):
            fee = self._filing.cells.get(_fee(one.id))
            if fee is not None and fee.origin is Origin.ENTERED and fee.value and fee.value % _ROUND == 0:
                zh = f"{one.name.zh}费用 {fee.value} 元是整千数；是否为估填"
                yield (_fee(one.id),), Text(zh, f"the fee of {one.name.en}, {fee.value}, is round; was it guessed?")

    def _swapped(self, rule: Rule) -> Found:
        now, then = self._values[CellKind.QUANTITY], self._then or {}
        both = [one for one in self._form.items if one.part_of is None and _above(now, one.id) and _above(then, one.id)]
        for a, b in combinations(both, 2):
            if _exchanged((now[a.id], now[b.id]), (then[a.id], then[b.id])):
                zh = f"{a.name.zh}与{b.name.zh}可能填反：各自接近对方的上年同期"
                en = f"{a.name.en} and {b.name.en} look exchanged: each is near what the other was last year"
                yield (_quantity(a.id), _quantity(b.id)), Text(zh, en)

    def _size(self, rule: Rule) -> Found:
        before = self._beside.last_year
        if before is None or rule.high is None:
            return
        for name, unit, now, then in _sizes(self._filing.size, before.size):
            if now is not None and then and abs(now - then) / then > rule.high:
                zh = f"{name.zh} {now} {unit}，上年 {then}，变化超过 {rule.high:.0%}"
                en = f"{name.en} {now} {unit}, {then} a year before: changed by more than {rule.high:.0%}"
                yield (), Text(zh, en)

    def _band(self, rule: Rule) -> Found:
        result = self._beside.indicators.get(rule.indicator or "")
        value = None if result is None else result.figure.value
        if result is None or value is None or rule.high is None or (rule.low or 0) <= value <= rule.high:
            return
        name, unit = result.indicator.name, result.indicator.unit
        zh = f"{name.zh} {value:.2f} {unit}，参考 {rule.low or 0}–{rule.high}（{rule.source.zh}）"
        yield (), Text(zh, f"{name.en} {value:.2f} {unit}; {rule.low or 0} to {rule.high} by {rule.source.en}")

    def _meter_and_bill(self, rule: Rule) -> Found:
        for one in self._items(rule):
            metered, billed = self._filing.cells.get(_quantity(one.id)), self._beside.billed.get(one.id)
            if metered is None or metered.origin is not Origin.METERS or not billed or rule.high is None:
                continue
            share = (metered.value - billed) / billed
            if abs(share) > rule.high:
                zh = f"{one.name.zh}：表计 {metered.value}，账单 {billed}，相差 {share:+.1%}"
                en = f"{one.name.en}: meters {metered.value}, bills {billed}, {share:+.1%} apart"
                yield (_quantity(one.id),), Text(zh, en)

    def _doubtful(self, rule: Rule) -> Found:
        for cell, filled in self._filing.cells.items():
            doubt = filled.estimated + filled.missing
            if rule.item in (None, cell.item) and rule.high is not None and doubt > rule.high:
                name = self._form.item(cell.item).name
                zh = f"{name.zh}：估算 {filled.estimated:.1%}，缺失 {filled.missing:.1%}"
                en = f"{name.en}: {filled.estimated:.1%} estimated, {filled.missing:.1%} missing"
                yield (cell,), Text(zh, en)


def _quantity(item: str) -> Cell:
    return Cell(item, CellKind.QUANTITY)


def _fee(item: str) -> Cell:
    return Cell(item, CellKind.FEE)


def _by_item(filing: Filing) -> dict[CellKind, dict[str, Decimal]]:
    """The figures of a filing by kind and item."""
    found: dict[CellKind, dict[str, Decimal]] = {kind: {} for kind in CellKind}
    for cell, filled in filing.cells.items():
        found[cell.kind][cell.item] = filled.value
    return found


def _above(values: Mapping[str, Decimal], item: str) -> bool:
    return values.get(item, 0) > 0


def _wan(price: Decimal, low: Decimal, high: Decimal) -> Decimal | None:
    """By what the price must be multiplied to be one, where that is 10 000 or a 10 000th."""
    return next((factor for factor in (_WAN, 1 / _WAN) if low <= price * factor <= high), None)


def _exchanged(now: tuple[Decimal, Decimal], then: tuple[Decimal, Decimal]) -> bool:
    """Whether each of two amounts, all above 0, is near what the other was, and far from what it was itself."""
    crossed = _apart(now[0], then[1]) < _NEAR and _apart(now[1], then[0]) < _NEAR
    return crossed and _apart(now[0], then[0]) > _FAR and _apart(now[1], then[1]) > _FAR


def _apart(one: Decimal, other: Decimal) -> Decimal:
    """How far apart two amounts are, as a share of the larger."""
    return abs(one - other) / max(one, other)


def _sizes(now: Size, then: Size) -> tuple[tuple[Text, str, Decimal | None, Decimal | None], ...]:
    area, people = Text("建筑面积", "floor area"), Text("用能人数", "head count")
    return (area, "m2", now.area_m2, then.area_m2), (people, "persons", now.people, then.people)


def _shown(value: Decimal | None, language: str) -> str:
    return str(value) if value is not None else {"zh": "（空）", "en": "which is empty"}[language]
