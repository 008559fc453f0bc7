"""How each route is asked about a node of the city: the matrix is made of these, and a route without one fails it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from energy.readings import to_ms
from gateway.access.roles import Permission
from tests.gateway.access.city import ENERGY, FIRST, NOW, Entered

# The ids of the alarms of the city, of one meter of each node; the one of nobody there is none of.
ALARMS = {"own": 1, "child": 2, "parent": 3, "foreign": 4}
Ask = tuple[dict[str, Any], dict[str, Any] | None]


_FROM, _TO = to_ms(FIRST), to_ms(FIRST) + 86_400_000
_JANUARY = {"from": _FROM, "to": _FROM + 31 * 86_400_000, "by": "month", "parts": True}
_DAY = {"from": _FROM, "to": _TO, "by": "day", "parts": True}
_SAID = {"who": "somebody", "why": "because"}


def _nothing(_node: str, _ids: Entered) -> list[Ask]:
    return [({}, None)]


def _given(**body: Any) -> Callable[[str, Entered], list[Ask]]:
    """Something that names nothing of anybody else."""
    return lambda _node, _ids: [({}, body)]


def _clerk(**body: Any) -> Callable[[str, Entered], list[Ask]]:
    """Something about the account of the clerk of the node."""
    return lambda node, _ids: [({}, {"name": f"{node}-clerk", **body})]


def _grants(node: str, _ids: Entered) -> list[Ask]:
    """To the clerk of the node, to oneself, and beyond what is one's own."""
    to = [(name, office) for name in (f"{node}-clerk", "who") for office in (f"{node}-office", None)]
    return [({}, {"name": name, "role": "reader", "organisation": office}) for name, office in to]


def _audit(node: str, _ids: Entered) -> list[Ask]:
    of: tuple[dict[str, Any], ...] = (
        {},
        {"account": f"{node}-clerk"},
        {"subject": f"account/{node}-clerk"},
        {"subject": "meter/"},
    )
    return [(asked, None) for asked in of]


def _latest(node: str, _ids: Entered) -> list[Ask]:
    return [({}, None), ({"point": [f"{node}-main:active_power"]}, None)]


def _series(node: str, _ids: Entered) -> list[Ask]:
    return [({"point": [f"{node}-sub:{ENERGY}"], "from": _FROM, "to": _TO}, None)]


def _events(node: str, _ids: Entered) -> list[Ask]:
    return [({}, None), ({"meter": [f"{node}-main"], "withdrawn": True}, None)]


def _event(node: str, **given: Any) -> dict[str, Any]:
    return {"meter": f"{node}-sub", "kind": "faulty", "at": to_ms(NOW) - 3_600_000, "until": to_ms(NOW), **given}


def _add_events(node: str, _ids: Entered) -> list[Ask]:
    moved = {"meter": "own-main", "kind": "moved", "at": to_ms(NOW), "place": f"{node}-place"}
    return [({}, {"events": [e], **_SAID}) for e in (_event(node), moved)]


def _exchange(node: str) -> dict[str, Any]:
    at = to_ms(FIRST) + 3_600_000
    return {"meter": f"{node}-main", "kind": "exchanged", "at": at, "final_register": 1003.0, "initial_register": 0.0}


def _node_overview(node: str, _ids: Entered) -> list[Ask]:
    return [({}, None), ({"of": f"organisation/{node}-office"}, None), ({"of": f"meter/{node}-main"}, None)]


def _consumption(node: str, _ids: Entered) -> list[Ask]:
    of = (
        f"{node}-main:{ENERGY}",
        f"{node}-virtual:{ENERGY}",
        *(
            f"{kind}/{node}-{name}"
            for kind, name in (("meter", "main"), ("place", "place"), ("organisation", "office"))
        ),
        "site/court",
        "place/town",
        "item/01",
        "meter/shared-main",
        f"shared-main:{ENERGY}",
    )
    return [({"of": name, **asked}, None) for name in of for asked in (_DAY, _JANUARY)]


def _balance(node: str, _ids: Entered) -> list[Ask]:
    asked = {"from": _FROM, "to": _TO}
    return [(asked, None), ({**asked, "meter": f"{node}-main"}, None)]


def _bills(node: str, _ids: Entered) -> list[Ask]:
    return [({}, None), ({"account": f"{node}-account", "withdrawn": True}, None)]


def _add_bills(node: str, _ids: Entered) -> list[Ask]:
    days = {"from": "2026-02-01", "to": "2026-03-01"}
    bill = {"account": f"{node}-account", **days, "quantity": "1", "amount": "1"}
    clashing = {**bill, "from": "2026-01-01", "to": "2026-02-01"}
    return [({}, {"bills": [one], **_SAID}) for one in (bill, clashing)]


def _stock(node: str, _ids: Entered) -> list[Ask]:
    of = (f"organisation/{node}-office", f"place/{node}-place", "site/court", "site/else")
    return [({"of": name, "from": "2026-01-01", "to": "2026-02-01"}, None) for name in of]


def _add_moves(node: str, _ids: Entered) -> list[Ask]:
    same = {"fuel": "diesel", "kind": "purchase", "day": "2026-02-05", "quantity": "1", "unit": "L"}
    return [
        ({}, {"moves": [{"of": of, **same}], **_SAID}) for of in (f"organisation/{node}-office", f"place/{node}-place")
    ]


def _alarms(_node: str, _ids: Entered) -> list[Ask]:
    return [({}, None), ({"open": True}, None)]


def _alarm(node: str, _ids: Entered) -> list[Ask]:
    return [({"id": ALARMS.get(node, 999_999)}, None)]


def _alarm_deed(node: str, _ids: Entered) -> list[Ask]:
    return [({}, {"id": ALARMS.get(node, 999_999), "who": "somebody", "note": "because"})]


def _document(_node: str, _ids: Entered) -> list[Ask]:
    return [({}, {"document": "{}", **_SAID})]


def _period(node: str, _ids: Entered) -> list[Ask]:
    return [({"month": "2026-01", "meter": meters}, None) for meters in ([], [f"{node}-main"])]


_RETURNED = _given(flow="guessed", state="guessed", code="guessed")


def _findings(node: str, _ids: Entered) -> list[Ask]:
    return [({}, None), ({"meter": [f"{node}-main"], "state": ["open", "confirmed"]}, None)]


def _decide(_node: str, ids: Entered) -> list[Ask]:
    return [({}, {"id": ids.finding, "state": "dismissed", "reason": "known", **_SAID})]


def _quotas(node: str, _ids: Entered) -> list[Ask]:
    return [({}, None), ({"of": f"organisation/{node}-office"}, None), ({"year": 2025}, None)]


def _quota(node: str, **given: Any) -> dict[str, Any]:
    return {"of": f"organisation/{node}-office", "limited": "electricity", "year": 2026, **given}


def _add_quotas(node: str, _ids: Entered) -> list[Ask]:
    same = {"amount": "1000", "method": "self_set", "document": "letter"}
    # Of another day, and of the one of which there is a quota already.
    return [({}, {"quotas": [_quota(node, **same, dated=d)], **_SAID}) for d in ("2026-02-03", "2026-01-02")]


def _preview_quota(node: str, _ids: Entered) -> list[Ask]:
    history = {"years": [2025], "rate": "0.1"}
    return [({}, _quota(node, amount="1000")), ({}, _quota(node, history=history))]


def _contract(node: str) -> str:
    return f"{node}-contract"


def _baseline(node: str) -> dict[str, Any]:
    days = {"from": "2026-01-01", "to": "2026-03-01"}
    return {"contract": _contract(node), "clause": "savings", **days, "method": "agreed", "per_day": "12.5"}


def _adjustment(node: str) -> dict[str, Any]:
    days = {"from": "2026-02-01", "to": "2026-02-03"}
    told = {"per_day": "2", "formula": "2 kW x 1 h", "evidence": "letter"}
    return {"contract": _contract(node), "clause": "savings", **days, **told, **_SAID}


def _february(node: str) -> dict[str, Any]:
    return {"contract": _contract(node), "from": "2026-02-01", "to": "2026-03-01"}


def _filing(node: str, _ids: Entered) -> list[Ask]:
    return [({"month": "2026-01", "organisation": f"{node}-office"}, None)]


def _rollup(_node: str, _ids: Entered) -> list[Ask]:
    return [({"month": "2026-01", "tree": tree, "drafts": True}, None) for tree in ("region", "department")]


def _fill(node: str, _ids: Entered) -> list[Ask]:
    cell = {"cell": "water.quantity", "value": "1", "why": "a bill"}
    filing = {"month": "2026-01", "organisation": f"{node}-office", "revision": 999}
    return [({}, {**filing, "cells": [cell], "who": "somebody"})]


def _on_filing(node: str, _ids: Entered) -> list[Ask]:
    return [({}, {"month": "2026-01", "organisation": f"{node}-office", "revision": 999, **_SAID})]


def _file(node: str, _ids: Entered) -> list[Ask]:
    """A site of one organisation: all others would be removed."""
    head = "site: court\nname: {zh: a, en: a}\n"
    text = f"{head}organisations: [{{id: {node}-office, name: {{zh: a, en: a}}}}]\n"
    return [({"expected": "0" * 64, "why": "because"}, {"file": text})]


def _preview(node: str, ids: Entered) -> list[Ask]:
    return [({"limit": 1000}, body) for _, body in _file(node, ids)]


def _forms(_node: str, _ids: Entered) -> list[Ask]:
    return [({"as": form}, None) for form in ("xlsx", "yaml")]


ASKS: Mapping[tuple[str, str], tuple[Permission, Callable[[str, Entered], list[Ask]]]] = {
    ("GET", "/api/v1/site"): (Permission.READ, _nothing),
    ("GET", "/api/v1/meters"): (Permission.READ, _nothing),
    ("GET", "/api/v1/organisations"): (Permission.READ, _nothing),
    ("GET", "/api/v1/site/file"): (Permission.READ, _forms),
    ("GET", "/api/v1/site/organisations"): (Permission.ADMINISTER_SYSTEM, _nothing),
    ("GET", "/api/v1/site/export"): (Permission.ADMINISTER_SYSTEM, _forms),
    ("GET", "/api/v1/site/template"): (Permission.ADMINISTER_SYSTEM, _nothing),
    ("POST", "/api/v1/site/preview"): (Permission.ADMINISTER_SYSTEM, _preview),
    ("POST", "/api/v1/site/apply"): (Permission.ADMINISTER_SYSTEM, _file),
    ("GET", "/api/v1/latest"): (Permission.READ, _latest),
    ("GET", "/api/v1/series"): (Permission.READ, _series),
    ("GET", "/api/v1/overview"): (Permission.READ, _nothing),
    ("GET", "/api/v1/edges"): (Permission.OPERATE, _nothing),
    ("GET", "/api/v1/edges/{edge}"): (Permission.OPERATE, lambda node, _ids: [({"edge": f"{node}-edge"}, None)]),
    ("GET", "/api/v1/quarantine"): (Permission.OPERATE, _nothing),
    ("GET", "/api/v1/backup/copy"): (Permission.OPERATE, _nothing),
    ("POST", "/api/v1/backup/copy"): (Permission.OPERATE, _given()),
    ("GET", "/api/v1/events"): (Permission.READ, _events),
    ("POST", "/api/v1/events"): (Permission.FILL, _add_events),
    ("POST", "/api/v1/events/preview"): (
        Permission.FILL,
        lambda node, _ids: [({}, {"events": [_exchange(node)], **_SAID})],
    ),
    ("POST", "/api/v1/events/withdraw/preview"): (Permission.FILL, lambda _node, ids: [({}, {"id": ids.event})]),
    ("POST", "/api/v1/events/withdraw"): (Permission.FILL, lambda _node, ids: [({}, {"id": ids.event, **_SAID})]),
    ("GET", "/api/v1/consumption"): (Permission.READ, _consumption),
    ("GET", "/api/v1/balance"): (Permission.READ, _balance),
    ("GET", "/api/v1/trees"): (Permission.READ, _nothing),
    ("GET", "/api/v1/tariffs"): (Permission.READ, _nothing),
    ("GET", "/api/v1/bills"): (Permission.READ, _bills),
    ("POST", "/api/v1/bills"): (Permission.FILL, _add_bills),
    ("POST", "/api/v1/bills/withdraw"): (Permission.FILL, lambda _node, ids: [({}, {"id": ids.bill, **_SAID})]),
    ("GET", "/api/v1/stock"): (Permission.READ, _stock),
    ("POST", "/api/v1/stock"): (Permission.FILL, _add_moves),
    ("POST", "/api/v1/stock/withdraw"): (Permission.FILL, lambda _node, ids: [({}, {"id": ids.move, **_SAID})]),
    ("GET", "/api/v1/periods"): (Permission.READ, _nothing),
    ("GET", "/api/v1/periods/{month}"): (Permission.READ, _period),
    ("POST", "/api/v1/periods/close"): (Permission.APPROVE, lambda _node, _ids: [({}, {"month": "2026-02", **_SAID})]),
    ("POST", "/api/v1/periods/correct"): (
        Permission.APPROVE,
        lambda _node, _ids: [({}, {"month": "2026-01", **_SAID})],
    ),
    ("GET", "/api/v1/statistics/filings"): (Permission.READ, lambda _node, _ids: [({"month": "2026-01"}, None)]),
    ("GET", "/api/v1/statistics/filing"): (Permission.READ, _filing),
    ("GET", "/api/v1/statistics/rollup"): (Permission.READ, _rollup),
    ("GET", "/api/v1/statistics/export"): (
        Permission.READ,
        lambda _node, _ids: [({"month": "2026-01", "drafts": True}, None)],
    ),
    ("POST", "/api/v1/statistics/fill"): (Permission.FILL, _fill),
    ("POST", "/api/v1/statistics/submit"): (Permission.APPROVE, _on_filing),
    ("POST", "/api/v1/statistics/return"): (Permission.REVIEW, _on_filing),
    ("POST", "/api/v1/statistics/accept"): (Permission.REVIEW, _on_filing),
    ("GET", "/api/v1/nodes/overview"): (Permission.READ, _node_overview),
    ("GET", "/api/v1/findings"): (Permission.READ, _findings),
    ("GET", "/api/v1/findings/{id}"): (Permission.READ, lambda _node, ids: [({"id": ids.finding}, None)]),
    ("POST", "/api/v1/findings/decide"): (Permission.FILL, _decide),
    ("GET", "/api/v1/audit"): (Permission.AUDIT, _audit),
    ("GET", "/api/v1/audit/state"): (Permission.AUDIT, _nothing),
    ("POST", "/api/v1/audit/verify"): (Permission.AUDIT, _given()),
    ("POST", "/api/v1/audit/export"): (Permission.AUDIT, _given()),
    ("GET", "/api/v1/quotas"): (Permission.READ, _quotas),
    ("GET", "/api/v1/quotas/standards"): (Permission.READ, _nothing),
    ("GET", "/api/v1/quotas/crossings"): (
        Permission.READ,
        lambda _node, _ids: [({}, None), ({"standing": True}, None)],
    ),
    ("GET", "/api/v1/quotas/{id}"): (Permission.READ, lambda _node, ids: [({"id": ids.quota}, None)]),
    ("POST", "/api/v1/quotas"): (Permission.APPROVE, _add_quotas),
    ("POST", "/api/v1/quotas/preview"): (Permission.APPROVE, _preview_quota),
    ("POST", "/api/v1/quotas/withdraw"): (Permission.APPROVE, lambda _node, ids: [({}, {"id": ids.quota, **_SAID})]),
    ("GET", "/api/v1/alarms"): (Permission.READ, _alarms),
    ("GET", "/api/v1/alarms/one"): (Permission.READ, _alarm),
    ("POST", "/api/v1/alarms/read"): (Permission.OPERATE, _alarm_deed),
    ("POST", "/api/v1/alarms/acknowledge"): (Permission.OPERATE, _alarm_deed),
    ("POST", "/api/v1/alarms/handle"): (Permission.OPERATE, _alarm_deed),
    ("POST", "/api/v1/alarms/close"): (Permission.OPERATE, _alarm_deed),
    ("GET", "/api/v1/alarm-rules"): (Permission.OPERATE, _nothing),
    ("POST", "/api/v1/alarm-rules/check"): (Permission.OPERATE, lambda _node, _ids: [({}, {"document": "{}"})]),
    ("POST", "/api/v1/alarm-rules"): (Permission.OPERATE, _document),
    ("GET", "/api/v1/alarm-messages"): (Permission.OPERATE, _nothing),
    ("POST", "/api/v1/alarm-messages/test"): (
        Permission.OPERATE,
        lambda _node, _ids: [({}, {"channel": "log", "person": "night-man", "who": "somebody"})],
    ),
    ("GET", "/api/v1/duty"): (Permission.OPERATE, lambda _node, _ids: [({"from": 0, "to": 1}, None)]),
    ("POST", "/api/v1/duty/check"): (Permission.OPERATE, lambda _node, _ids: [({}, {"document": "{}"})]),
    ("POST", "/api/v1/duty"): (Permission.OPERATE, _document),
    ("POST", "/api/v1/duty/swap"): (
        Permission.OPERATE,
        lambda _node, _ids: [({}, {"day": "2026-03-10", "of": "night-man", "by": "other", **_SAID})],
    ),
    ("GET", "/api/v1/contracts"): (Permission.READ, _nothing),
    ("GET", "/api/v1/contracts/{contract}"): (
        Permission.READ,
        lambda node, _ids: [({"contract": _contract(node)}, None)],
    ),
    ("POST", "/api/v1/baselines/preview"): (Permission.APPROVE, lambda node, _ids: [({}, _baseline(node))]),
    ("POST", "/api/v1/baselines/freeze"): (
        Permission.APPROVE,
        lambda node, _ids: [({}, {"asked": _baseline(node), **_SAID})],
    ),
    ("POST", "/api/v1/adjustments"): (Permission.APPROVE, lambda node, _ids: [({}, _adjustment(node))]),
    ("POST", "/api/v1/adjustments/withdraw"): (
        Permission.APPROVE,
        lambda _node, ids: [({}, {"id": ids.adjustment, **_SAID})],
    ),
    ("GET", "/api/v1/statements/{statement}"): (
        Permission.READ,
        lambda _node, ids: [({"statement": ids.statement}, None)],
    ),
    ("GET", "/api/v1/statements/{statement}/file"): (
        Permission.READ,
        lambda _node, ids: [({"statement": ids.statement, "format": kind}, None) for kind in ("json", "pdf", "xlsx")],
    ),
    ("POST", "/api/v1/statements/draft"): (Permission.APPROVE, lambda node, _ids: [({}, _february(node))]),
    ("POST", "/api/v1/statements/freeze"): (
        Permission.APPROVE,
        lambda node, _ids: [({}, {**_february(node), **_SAID})],
    ),
    ("POST", "/api/v1/statements/step"): (
        Permission.CONFIRM,
        lambda _node, ids: [
            ({}, {"statement": ids.statement, "kind": "disputed", "party": party, "line": "savings.1", **_SAID})
            for party in ("client", "esco")
        ],
    ),
    ("POST", "/api/v1/statements/reverse"): (
        Permission.APPROVE,
        lambda _node, ids: [({}, {"statement": ids.statement, **_SAID})],
    ),
    ("GET", "/api/v1/session"): (Permission.OPEN, _nothing),
    ("POST", "/api/v1/session"): (Permission.OPEN, _clerk(password="guessed")),
    ("POST", "/api/v1/session/second"): (Permission.OPEN, _given(code="000000")),
    ("POST", "/api/v1/session/end"): (Permission.OPEN, _given()),
    ("POST", "/api/v1/password"): (Permission.OWN, _given(old="guessed", new="Blue-heron 27")),
    ("POST", "/api/v1/first"): (Permission.OPEN, _clerk(link="guessed", password="Blue-heron 27")),
    ("POST", "/api/v1/second/enrol"): (Permission.OWN, _given(password="guessed")),
    ("POST", "/api/v1/second/confirm"): (Permission.OWN, _given(code="000000")),
    ("POST", "/api/v1/second/drop"): (Permission.OWN, _given(password="guessed")),
    ("GET", "/api/v1/tokens"): (Permission.OWN, _nothing),
    ("POST", "/api/v1/tokens"): (Permission.OWN, _given(name="mine", scopes=["read", "administer_security"])),
    ("POST", "/api/v1/tokens/revoke"): (Permission.OWN, lambda _node, ids: [({}, {"id": ids.token})]),
    ("GET", "/api/v1/accounts"): (Permission.ADMINISTER_SECURITY, _nothing),
    ("POST", "/api/v1/accounts"): (Permission.ADMINISTER_SECURITY, _clerk()),
    ("POST", "/api/v1/accounts/disable"): (Permission.ADMINISTER_SECURITY, _clerk(disabled=True)),
    ("POST", "/api/v1/accounts/reset"): (Permission.ADMINISTER_SECURITY, _clerk()),
    ("POST", "/api/v1/grants"): (Permission.ADMINISTER_SECURITY, _grants),
    ("POST", "/api/v1/grants/revoke"): (Permission.ADMINISTER_SECURITY, lambda _node, ids: [({}, {"id": ids.grant})]),
    ("GET", "/api/v1/accounts/tokens"): (
        Permission.ADMINISTER_SECURITY,
        lambda node, _ids: [({"account": f"{node}-clerk"}, None)],
    ),
    ("POST", "/api/v1/accounts/tokens/revoke"): (
        Permission.ADMINISTER_SECURITY,
        lambda _node, ids: [({}, {"id": ids.token})],
    ),
    ("GET", "/api/v1/account"): (Permission.OWN, _nothing),
    ("POST", "/api/v1/sessions/end"): (Permission.OWN, _given(id=999_999)),
    ("GET", "/api/v1/accounts/organisations"): (Permission.ADMINISTER_SECURITY, _nothing),
    ("POST", "/api/v1/accounts/second/reset"): (Permission.ADMINISTER_SECURITY, _clerk()),
    ("POST", "/api/v1/accounts/unlock"): (Permission.ADMINISTER_SECURITY, _clerk()),
    ("POST", "/api/v1/accounts/sessions/end"): (Permission.ADMINISTER_SECURITY, _clerk()),
    ("POST", "/api/v1/accounts/erase"): (Permission.ADMINISTER_SECURITY, _clerk()),
    ("GET", "/api/v1/session/providers"): (Permission.OPEN, _nothing),
    ("POST", "/api/v1/session/provider"): (Permission.OPEN, _given(provider="none")),
    ("POST", "/api/v1/session/provider/return"): (Permission.OPEN, _RETURNED),
    ("GET", "/api/v1/links"): (Permission.OWN, _nothing),
    ("POST", "/api/v1/links/begin"): (Permission.OWN, _given(provider="none", password="guessed")),
    ("POST", "/api/v1/links/return"): (Permission.OWN, _RETURNED),
    ("POST", "/api/v1/links/drop"): (Permission.OWN, _given(id=999_999)),
    ("GET", "/api/v1/accounts/links"): (
        Permission.ADMINISTER_SECURITY,
        lambda n, _: [({"account": f"{n}-clerk"}, None)],
    ),
    ("POST", "/api/v1/accounts/links"): (Permission.ADMINISTER_SECURITY, _clerk(provider="none", subject="guessed")),
    ("POST", "/api/v1/accounts/links/drop"): (Permission.ADMINISTER_SECURITY, _given(id=999_999)),
}
