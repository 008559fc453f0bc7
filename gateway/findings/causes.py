"""What a finding most likely is, in a sentence, and what to look at first."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from energy.findings import Finding, FindingKind
from energy.quantities import Medium, medium_of, quantity
from energy.series import MICRO
from energy.sites import Text
from energy.units import sign

_K = FindingKind

NAMES: Mapping[FindingKind, Text] = {
    _K.MISSING: Text("数据缺失", "Data missing"),
    _K.STUCK: Text("读数不变", "Reading stuck"),
    _K.FALL: Text("表底回落", "Register fell"),
    _K.JUMP: Text("表底突跳", "Register jumped"),
    _K.NEGATIVE: Text("用量为负", "Negative consumption"),
    _K.SCALE: Text("倍率或单位有误", "Wrong ratio or unit"),
    _K.SPIKE: Text("短时突增", "Short spike"),
    _K.DROP: Text("短时骤降", "Short drop"),
    _K.NIGHT: Text("夜间用能偏高", "High at night"),
    _K.REST_DAY: Text("休息日用能偏高", "High on days of rest"),
    _K.CONSTANT: Text("持续偏高", "Always higher"),
    _K.HIGH: Text("用能偏高", "Higher than usual"),
    _K.LOW: Text("用能偏低", "Lower than usual"),
}

_CAUSES: Mapping[FindingKind, Text] = {
    _K.MISSING: Text("{hours} 小时没有可用读数。", "No usable reading for {hours} h."),
    _K.STUCK: Text(
        "连续 {hours} 小时每小时用量完全相同（{each}）。",
        "The same amount in each of {hours} h ({each}).",
    ),
    _K.FALL: Text(
        "表底回落且无法用翻转解释，疑似清零或换表。",
        "The register fell, which no roll-over explains: reset or exchanged?",
    ),
    _K.JUMP: Text(
        "表底一次上升超过可能的最大值，疑似换表或读错。", "The register rose more than it can: exchanged, or misread?"
    ),
    _K.NEGATIVE: Text(
        "{hours} 小时用量为负，疑似接线反向或换表。",
        "Consumption is negative for {hours} h: wired backwards, or exchanged?",
    ),
    _K.SCALE: Text(
        "读数约为预期的 {ratio} 倍，疑似互感器变比或单位设置有误。",
        "Readings are about {ratio} times what is expected: a wrong ratio or unit.",
    ),
    _K.SPIKE: Text(
        "{hours} 小时内用量 {used}，预期 {expected}，多 {excess}。",
        "{used} within {hours} h where {expected} was expected: {excess} more.",
    ),
    _K.DROP: Text(
        "{hours} 小时内用量 {used}，预期 {expected}，少 {less}。",
        "{used} within {hours} h where {expected} was expected: {less} less.",
    ),
    _K.NIGHT: Text(
        "夜间（22–6 时）用能高于平常，{hours} 小时内多用 {excess}。",
        "Nights (22-6 h) use more than usual: {excess} more within {hours} h.",
    ),
    _K.REST_DAY: Text(
        "休息日用能接近工作日，多用 {excess}。",
        "Days of rest look like working days: {excess} more.",
    ),
    _K.CONSTANT: Text(
        "昼夜都高于平常，{hours} 小时内多用 {excess}，每小时约 {each}。",
        "Higher than usual by day and night: {excess} more within {hours} h, about {each} each hour.",
    ),
    _K.HIGH: Text(
        "{hours} 小时内用量 {used}，预期 {expected}，多 {excess}。",
        "{used} within {hours} h where {expected} was expected: {excess} more.",
    ),
    _K.LOW: Text(
        "{hours} 小时内用量 {used}，预期 {expected}，少 {less}。",
        "{used} within {hours} h where {expected} was expected: {less} less.",
    ),
}

_CHECKS: Mapping[FindingKind, Text] = {
    _K.MISSING: Text("先查通信线路、采集端和电源。", "Check line, edge and power supply first."),
    _K.STUCK: Text(
        "先查表计是否停走、采集值是否被缓存。",
        "Check whether the meter has stopped, or its value is cached on the way.",
    ),
    _K.FALL: Text("如已换表，请录入换表事件。", "If the meter was exchanged, enter the event."),
    _K.JUMP: Text(
        "核对现场表底；如已换表，请录入换表事件。",
        "Compare with the register on site; if it was exchanged, enter the event.",
    ),
    _K.NEGATIVE: Text("核对电流互感器方向。", "Check the direction of the current transformers."),
    _K.SCALE: Text("核对变比、小数位和单位设置。", "Check ratios, decimals and unit in the settings."),
    _K.SPIKE: Text(
        "核对该时段是否有活动、检修、漏水或补采。", "Was there an event, a test, a leak, or a reading made up for?"
    ),
    _K.DROP: Text("核对是否停电、停机或表计故障。", "Was supply or plant off, or the meter faulty?"),
    _K.NIGHT: Text(
        "先查下班后未关的空调、照明、热水和服务器。", "Look for cooling, lights, hot water left on after hours."
    ),
    _K.REST_DAY: Text(
        "先查空调和通风的时间表是否按工作日运行。",
        "Look whether cooling and ventilation run by the schedule of working days.",
    ),
    _K.CONSTANT: Text(
        "先查漏水、常开阀门或新增的常开设备。", "Look for a leak, an open valve, or plant that runs all the time."
    ),
    _K.HIGH: Text("核对使用时间、温度设定和新增设备。", "Check hours of use, set temperatures and new plant."),
    _K.LOW: Text("核对是否停用，或分支被旁路。", "Is something out of use, or bypassed?"),
}


_ALWAYS_ON = Text(
    "先查新增或常开的设备、温控失灵和保温变差。",
    "Look for plant that is new or never stops, controls that fail, worn seals and insulation.",
)
_OF_DATA = Text("数据问题：用了多少不能确定，不计价", "About the data: what was used is not sure, so it has no price")
_NO_TARIFF = Text("该表不属于有价格的结算账户，无法计价", "No price: the meter belongs to no account with a tariff")
_NO_PRICE = Text("价格未覆盖这一时段，无法计价", "No price: the tariff does not cover that time")


def why_unpriced(finding: Finding, cost: int | None, tariff: str | None) -> Text | None:
    """Why a finding has no worth in yuan; None where it has one."""
    if cost is not None:
        return None
    if finding.excess is None:
        return _OF_DATA
    return _NO_TARIFF if tariff is None else _NO_PRICE


def cause(finding: Finding) -> Text:
    """What was seen, with its numbers."""
    unit = quantity(finding.point.quantity).unit
    hours = max(round((finding.end_ms - finding.start_ms) / 3_600_000), 1)
    excess = finding.excess or 0
    each = abs(excess) if finding.excess is not None else finding.used or 0
    told = {
        "hours": str(hours),
        "used": _amount(finding.used or 0, unit),
        "expected": _amount(finding.expected or 0, unit),
        "excess": _amount(excess, unit),
        "less": _amount(-excess, unit),
        "each": _amount(each // hours, unit),
        "ratio": f"{finding.ratio:g}" if finding.ratio else "?",
    }
    template = _CAUSES[finding.kind]
    return Text(template.zh.format(**told), template.en.format(**told))


def first_check(finding: Finding) -> Text:
    """What to look at first: electricity and heat do not leak through a pipe that drips."""
    flows = medium_of([finding.point.quantity]) in (Medium.WATER, Medium.GAS)
    return _ALWAYS_ON if finding.kind is _K.CONSTANT and not flows else _CHECKS[finding.kind]


def _amount(micro: int, unit: str) -> str:
    """An amount as it is said, three digits or all before the point.

    >>> _amount(1_234_500_000, "kWh"), _amount(-12_345, "m3")
    ('1,234 kWh', '-0.0123 m³')
    """
    value = Decimal(micro) / MICRO
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown} {sign(unit)}"
