"""What is told when a bound is crossed: the quota, its method, what remains, what is expected, what changed."""

from __future__ import annotations

from collections.abc import Mapping

from analytics.quotas.pace import Bound, Mark
from energy.quotas import Method, QuotaOf
from energy.series import MICRO
from energy.sites import Text
from energy.units import sign
from gateway.quotas.reckoning import Pace

LIMITED: Mapping[QuotaOf, Text] = {
    QuotaOf.ELECTRICITY: Text("用电", "electricity"),
    QuotaOf.WATER: Text("用水", "water"),
    QuotaOf.GAS: Text("用气", "gas"),
    QuotaOf.HEAT: Text("用热", "heat"),
    QuotaOf.ENERGY: Text("综合能耗", "energy in standard coal"),
}
METHOD: Mapping[Method, Text] = {
    Method.STANDARD: Text("按标准核定", "by a standard"),
    Method.HISTORY: Text("按历史用量核定", "by own history"),
    Method.HANDED_DOWN: Text("上级下达", "handed down"),
    Method.SELF_SET: Text("自行设定", "set by itself"),
}


def told(pace: Pace, mark: Mark, name: Text) -> Text:
    """In whole sentences, without a look elsewhere."""
    return Text(_zh(pace, mark, name.zh), _en(pace, mark, name.en))


def _zh(pace: Pace, mark: Mark, name: str) -> str:
    quota, s, unit = pace.quota, pace.standing, sign(pace.quota.unit)
    bound, level = mark
    crossed = {
        Bound.PACE: f"累计用量已达进度定额的 {level:.0%}",
        Bound.YEAR: f"累计用量已达全年定额的 {level:.0%}",
        Bound.CHANCE: f"全年超定额的概率超过 {level:.0%}",
    }[bound]
    parts = [
        f"{name} {quota.year} 年{LIMITED[quota.limited].zh}{crossed}",
        f"定额 {quota.amount:,} {unit}（{METHOD[quota.method].zh}，{quota.document}，{quota.dated}）",
        f"截至 {pace.today} 零时已用 {_told(s.used)}，进度定额 {_told(s.allowed)}，"
        + (f"剩余 {_told(s.quota - s.used)} {unit}" if s.used <= s.quota else f"已超 {_told(s.used - s.quota)} {unit}"),
    ]
    year = pace.year
    if year.expected is not None and year.least is not None and year.most is not None:
        parts.append(f"预计全年 {year.expected:,.0f}（90% 区间 {year.least:,.0f} 至 {year.most:,.0f}）{unit}")
    elif year.expected is None:
        parts.append("历史数据不足或数据不全，无法预测全年")
    if pace.exceeded_on is not None and s.used <= s.quota:
        parts.append(f"预计 {pace.exceeded_on} 用完")
    if pace.change is not None:
        parts.append(f"比上年同期{'多' if pace.change >= 0 else '少'} {abs(pace.change):.1%}")
    return "；".join(parts) + "。"


def _en(pace: Pace, mark: Mark, name: str) -> str:
    quota, s, unit = pace.quota, pace.standing, sign(pace.quota.unit)
    bound, level = mark
    crossed = {
        Bound.PACE: f"has used {level:.0%} of what the quota allows so far",
        Bound.YEAR: f"has used {level:.0%} of the quota of the year",
        Bound.CHANCE: f"will exceed the quota of the year with a chance above {level:.0%}",
    }[bound]
    parts = [
        f"{name}, {LIMITED[quota.limited].en} {quota.year}: {crossed}",
        f"quota {quota.amount:,} {unit} ({METHOD[quota.method].en}, {quota.document}, {quota.dated})",
        f"used before {pace.today} {_told(s.used)}, allowed so far {_told(s.allowed)}, "
        + (
            f"left {_told(s.quota - s.used)} {unit}"
            if s.used <= s.quota
            else f"over by {_told(s.used - s.quota)} {unit}"
        ),
    ]
    year = pace.year
    if year.expected is not None and year.least is not None and year.most is not None:
        parts.append(f"expected {year.expected:,.0f} (90 % within {year.least:,.0f} to {year.most:,.0f}) {unit}")
    elif year.expected is None:
        parts.append("too little is known to foretell the year")
    if pace.exceeded_on is not None and s.used <= s.quota:
        parts.append(f"used up on {pace.exceeded_on} as expected")
    if pace.change is not None:
        parts.append(f"{abs(pace.change):.1%} {'more' if pace.change >= 0 else 'less'} than last year by this day")
    return "; ".join(parts) + "."


def _told(millionths: int) -> str:
    return f"{millionths / MICRO:,.0f}"
