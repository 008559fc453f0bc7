"""What a message says: level, place, since when. What was measured goes to one person alone, never into a group."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.alarms.rules import Level
from energy.names import Text
from energy.readings import from_ms
from energy.units import sign
from gateway.alerts.alarm import Alarm

LEVELS = {
    Level.NOTICE: Text("提示", "Notice"),
    Level.WARNING: Text("警告", "Warning"),
    Level.URGENT: Text("紧急", "Urgent"),
}


def said(text: Text, language: str) -> str:
    return text.en if language == "en" else text.zh


def level_of(alarm: Alarm, language: str) -> str:
    return said(LEVELS[alarm.life.level], language)


def local(at_ms: int, zone: ZoneInfo) -> str:
    """The hour of the clock; with its day where that is not obvious."""
    instant: datetime = from_ms(at_ms).astimezone(zone)
    return f"{instant:%m-%d %H:%M}"


def number(value: float, unit: str) -> str:
    return f"{value:.4g} {sign(unit)}".strip()


def title(alarm: Alarm, kind: str, language: str) -> str:
    """The first line: level, and what it is."""
    over = {"zh": "已恢复", "en": "Over"}
    mark = over[language] if kind == "recovered" else level_of(alarm, language)
    left, right = ("[", "] ") if language == "en" else ("【", "】")
    return f"{left}{mark}{right}{said(alarm.raised.title, language)}"


def text(alarm: Alarm, kind: str, language: str, zone: ZoneInfo) -> str:
    """Since when, and whether somebody has it: what anybody may read along."""
    since = local(alarm.raised.crossed_ms, zone)
    if kind == "recovered":
        over = local(alarm.life.recovered_ms or 0, zone)
        return f"Since {since}, over at {over}." if language == "en" else f"{since} 起，{over} 恢复。"
    if kind == "again":
        return f"Since {since}; nobody has acknowledged yet." if language == "en" else f"{since} 起，尚无人签收。"
    return f"Since {since}." if language == "en" else f"{since} 起。"


def more(alarm: Alarm, language: str) -> str:
    """What was measured, what has flowed, and what to do first: for one person alone."""
    parts = [said(alarm.raised.detail, language), figures(alarm, language), said(alarm.raised.first, language)]
    if alarm.raised.value is not None and alarm.raised.beyond is not None:
        read = number(alarm.raised.value, alarm.raised.unit), number(alarm.raised.beyond, alarm.raised.unit)
        parts.insert(
            1, f"Read {read[0]}, limit {read[1]}." if language == "en" else f"读数 {read[0]}，限值 {read[1]}。"
        )
    return "\n".join(part for part in parts if part)


def figures(alarm: Alarm, language: str) -> str:
    """What has flowed beyond what is usual, and what it cost at the price of the tariff; nothing where not known."""
    told = alarm.raised.figures
    if not told or "amount" not in told:
        return ""
    amount, yuan = number(float(told["amount"]), str(told["unit"])), told.get("yuan")
    if language == "en":
        return f"About {amount} so far{'' if yuan is None else f', {float(yuan):.2f} yuan'}."
    return f"至今约 {amount}{'' if yuan is None else f'，约 {float(yuan):.2f} 元'}。"
