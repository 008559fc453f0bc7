"""The slim page that a link in a message opens: one alarm, its curve, one button. Opening it changes nothing.

Scanners of mail and previews of chats open links by themselves: only the button, a POST, acknowledges.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from aiohttp import web

from analytics.alarms.life import LifeError, State
from energy.duty import Person
from energy.errors import UnknownName
from energy.ports import Clock, ReadingStore
from energy.readings import Point, to_ms
from energy.sites import Site
from gateway.access.door import marked
from gateway.access.roles import Permission
from gateway.alerts import texts
from gateway.alerts.alarm import Alarm
from gateway.alerts.alerts import Alerts
from gateway.api.bodies import must_be_of_our_page
from gateway.ledger.books import Books

_STYLE = Path(__file__).with_name("phone.css")
_BEFORE_MS = 2 * 3_600_000
_COLUMNS, _WIDTH, _HEIGHT = 160, 320, 110
_BY_LINK = "link"

_WORDS = {
    "zh": {
        "gone": "此链接已失效。请登录后在“告警”中查看。",
        "ack": "签收",
        "acked": "已签收",
        "by": "签收人",
        "over": "已恢复",
        "open": "未签收",
        "level": "级别",
        "since": "开始",
        "now": "最近读数",
        "limit": "限值",
        "first": "先做",
        "more": "登录查看详情",
        "curve": "最近的曲线，虚线为限值",
        "hello": "{name}，请确认您已知悉并处理此告警。",
    },
    "en": {
        "gone": "This link is no longer valid. Sign in and look under Alarms.",
        "ack": "Acknowledge",
        "acked": "Acknowledged",
        "by": "By",
        "over": "Over",
        "open": "Not acknowledged",
        "level": "Level",
        "since": "Since",
        "now": "Last reading",
        "limit": "Limit",
        "first": "First",
        "more": "Sign in for details",
        "curve": "The last hours; dashed: the limit",
        "hello": "{name}, please confirm that you take this alarm on.",
    },
}


@dataclass(frozen=True, slots=True)
class Phone:
    """What the page needs."""

    alerts: Alerts
    store: ReadingStore
    books: Books
    clock: Clock

    def add_to(self, app: web.Application) -> None:
        """Serve the page and its style."""

        async def style(_request: web.Request) -> web.StreamResponse:
            return web.FileResponse(_STYLE, headers={"Cache-Control": "public, max-age=3600"})

        async def shown(request: web.Request) -> web.StreamResponse:
            return await self.shown(request)

        async def acknowledged(request: web.Request) -> web.StreamResponse:
            return await self.acknowledged(request)

        app.router.add_get("/alarm.css", marked(Permission.OPEN, style))
        app.router.add_get("/a/{token}", marked(Permission.OPEN, shown))
        app.router.add_post("/a/{token}", marked(Permission.OPEN, acknowledged))

    async def shown(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        found = await self._of(token)
        if found is None:
            return _page(
                _WORDS["zh"]["gone"], f"<p>{escape(_WORDS['zh']['gone'])}</p><p>{_WORDS['en']['gone']}</p>", 410
            )
        alarm, person = found
        return _page(texts.said(alarm.raised.title, person.language), await self._body(alarm, person, token))

    async def acknowledged(self, request: web.Request) -> web.StreamResponse:
        """Acknowledge in the name of the person of the link, and show the page again."""
        must_be_of_our_page(request)
        token = request.match_info["token"]
        found, form = await self._of(token), await request.post()
        if found is None or not hmac.compare_digest(str(form.get("check", "")).encode(), _check(token).encode()):
            return await self.shown(request)
        alarm, person = found
        # Where somebody has, or it is closed, the page says so.
        with suppress(LifeError):
            await self.alerts.alarms.acknowledge(alarm.id, f"{person.name} ({person.id})", _BY_LINK)
        return web.Response(status=303, headers={"Location": f"/a/{token}", "Cache-Control": "no-store"})

    async def _of(self, token: str) -> tuple[Alarm, Person] | None:
        """The alarm and the person of a link that still holds."""
        ticket = self.alerts.links.ticket(token)
        if ticket is None:
            return None
        person = (await self.alerts.duty.roster()).roster.person(ticket.person)
        try:
            alarm = await self.alerts.alarms.alarm(ticket.alarm)
        except UnknownName:
            return None
        return (alarm, person) if person is not None and alarm.life.round == ticket.round else None

    async def _body(self, alarm: Alarm, person: Person, token: str) -> str:
        language, site = person.language, self.books.kept.site
        words, level = _WORDS[language], escape(alarm.life.level)
        curve, last = await self._curve(alarm, words["curve"])
        facts = [(words["level"], texts.level_of(alarm, language))]
        facts.append((words["since"], texts.local(alarm.raised.crossed_ms, site.zone_info)))
        if last is not None:
            facts.append((words["now"], texts.number(last, alarm.raised.unit)))
        if alarm.raised.beyond is not None:
            facts.append((words["limit"], texts.number(alarm.raised.beyond, alarm.raised.unit)))
        told = [texts.said(alarm.raised.detail, language), texts.figures(alarm, language)]
        first = texts.said(alarm.raised.first, language)
        rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
        place = escape(_place_of(alarm, site, language))
        return (
            f'<header class="{level}"><p>{place}</p><h1>{escape(texts.said(alarm.raised.title, language))}</h1>'
            f"<p>{escape(self._state(alarm, words))}</p></header><dl>{rows}</dl>{curve}"
            + "".join(f"<p>{escape(text)}</p>" for text in told if text)
            + (f'<p class="first"><b>{escape(words["first"])}</b> {escape(first)}</p>' if first else "")
            + self._button(alarm, person, token, words)
            + f'<p class="dim"><a href="/#/alarms?alarm={alarm.id}">{escape(words["more"])}</a></p>'
        )

    def _state(self, alarm: Alarm, words: dict[str, str]) -> str:
        parts = [words["over"]] if alarm.life.state in (State.RECOVERED, State.CLOSED) else []
        if alarm.life.acknowledged_ms is None:
            return " · ".join([*parts, words["open"]])
        at = texts.local(alarm.life.acknowledged_ms, self.books.kept.site.zone_info)
        return " · ".join([*parts, f"{words['acked']} {at} · {words['by']} {alarm.acknowledged_by}"])

    def _button(self, alarm: Alarm, person: Person, token: str, words: dict[str, str]) -> str:
        if alarm.life.acknowledged_ms is not None or alarm.life.closed_ms is not None:
            return ""
        hello = escape(words["hello"].format(name=person.name))
        return (
            f'<form method="post" action="/a/{escape(token)}"><p>{hello}</p>'
            f'<input type="hidden" name="check" value="{_check(token)}">'
            f'<button type="submit">{escape(words["ack"])}</button></form>'
        )

    async def _curve(self, alarm: Alarm, label: str) -> tuple[str, float | None]:
        """The point of the alarm over the last hours, and its last value."""
        if alarm.raised.point is None:
            return "", None
        now_ms = to_ms(self.clock.now())
        begin = max(alarm.raised.crossed_ms - _BEFORE_MS, now_ms - 24 * 3_600_000)
        [found] = await self.store.curves([Point.parse(alarm.raised.point)], begin, now_ms + 1, _COLUMNS)
        good = np.isfinite(found.mean)
        at_ms, value = found.t_ms[good].astype(np.float64), found.mean[good]
        if len(at_ms) < 2:
            return "", float(value[-1]) if len(value) else None
        beyond = alarm.raised.beyond or 0.0
        top, bottom = max(float(value.max()), beyond, 0.0), min(float(value.min()), 0.0)
        height = (top - bottom) or 1.0

        def y(v: float) -> float:
            return round(_HEIGHT - 5 - (v - bottom) / height * (_HEIGHT - 10), 1)

        x = (at_ms - at_ms[0]) / ((at_ms[-1] - at_ms[0]) or 1.0) * _WIDTH
        line = " ".join(f"{a:.1f},{y(v)}" for a, v in zip(x.tolist(), value.tolist(), strict=True))
        limit = f'<line x1="0" x2="{_WIDTH}" y1="{y(beyond)}" y2="{y(beyond)}" class="limit"/>'
        drawn = f'<polyline points="{line}" class="curve"/>{limit if alarm.raised.beyond is not None else ""}'
        head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
        return f"<figure>{head}{drawn}</svg><figcaption>{escape(label)}</figcaption></figure>", float(value[-1])


def _place_of(alarm: Alarm, site: Site, language: str) -> str:
    """Where it is, as far as the records know."""
    meter = next((m for m in site.meters if m.id == alarm.raised.subject), None)
    place = next((p for p in site.places if meter is not None and p.id == meter.place), None)
    return texts.said(site.name if place is None else place.name, language)


def _check(token: str) -> str:
    """A word that only who was given the page knows besides the token."""
    return hmac.new(token.encode(), b"acknowledge", hashlib.sha256).hexdigest()[:32]


def _page(title: str, body: str, status: int = 200) -> web.Response:
    head = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{escape(title)}</title><link rel="icon" href="/favicon.svg">'
        '<link rel="stylesheet" href="/alarm.css"></head><body><main>'
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(
        text=f"{head}{body}</main></body></html>", status=status, content_type="text/html", headers=headers
    )
