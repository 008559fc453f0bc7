"""Routes of consumption."""

from __future__ import annotations

from collections import defaultdict

from msgspec import UNSET

from energy.errors import UnknownName
from energy.items import ITEMS
from energy.periods import Span
from energy.readings import from_ms
from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.api.words import TextWords
from gateway.ledger.answers import consumption as answered
from gateway.ledger.balance import balance as balanced
from gateway.ledger.preview import preview
from gateway.ledger.scope import Node, NodeKind
from gateway.ledger.service import Range
from gateway.ledger.words import (
    AccountWords,
    BalanceAnswer,
    BalanceQuery,
    ConsumptionAnswer,
    ConsumptionQuery,
    FactorSetWords,
    PreviewAnswer,
    TreeNode,
    TreesAnswer,
    WithdrawalPreview,
)
from gateway.life.words import NewEvents
from gateway.services import Services


async def consumption(services: Services, query: ConsumptionQuery) -> ConsumptionAnswer:
    return await answered(services.books, query, services.closings.closed_of)


async def balance(services: Services, query: BalanceQuery) -> BalanceAnswer:
    zone = services.books.kept.site.zone_info
    asked = Range(from_ms(query.from_), from_ms(query.to), Span(query.by), zone)
    return await balanced(services.books, asked, query.bound, query.meter)


async def preview_events(services: Services, _query: NoQuery, body: NewEvents) -> PreviewAnswer:
    try:
        events = [words.event for words in body.events]
    except ValueError as error:
        raise RequestError(str(error)) from error
    return await preview(services.books, events)


async def preview_withdrawal(services: Services, _query: NoQuery, body: WithdrawalPreview) -> PreviewAnswer:
    found = [k.event for k in await services.lives.events() if k.id == body.id]
    if not found:
        raise UnknownName(f"event {body.id} is not known, or withdrawn already")
    return await preview(services.books, [], found)


async def trees(services: Services, _query: NoQuery) -> TreesAnswer:
    site = services.books.kept.site

    today = services.clock.now().astimezone(site.zone_info).date()
    beside: dict[str, list[str]] = defaultdict(list)
    for m in site.memberships:
        if m.valid.holds(today):
            beside[m.organisation].append(str(Node(NodeKind.ORGANISATION, m.within)))

    def node(kind: NodeKind, name: str, parent: str | None, of: str, text: TextWords) -> TreeNode:
        within = beside.get(name, UNSET) if kind is NodeKind.ORGANISATION else UNSET
        return TreeNode(str(Node(kind, name)), str(Node(kind, parent)) if parent else None, of, text, within)

    return TreesAnswer(
        [node(NodeKind.PLACE, p.id, p.parent, p.kind, TextWords.of(p.name)) for p in site.places],
        [node(NodeKind.ORGANISATION, o.id, o.parent, o.kind, TextWords.of(o.name)) for o in services.books.named()],
        [
            node(NodeKind.ITEM, i.short, ITEMS[i.parent].short if i.parent else None, "item", TextWords.of(i.name))
            for i in ITEMS.values()
        ],
        [node(NodeKind.METER, m.id, m.parent, m.medium, TextWords.of(m.name)) for m in site.meters],
        [TreeNode(f"{v.id}:{v.quantity}", None, "virtual", TextWords.of(v.name)) for v in site.virtual_points],
        [AccountWords(a.id, a.medium, a.supplier, a.organisation, a.tariff) for a in site.accounts],
        [FactorSetWords(s.id, TextWords.of(s.name), TextWords.of(s.purpose)) for s in services.books.factors.sets],
    )


ROUTES = (
    Route(
        "/api/v1/consumption",
        "What flowed through a point or a node, by period, compared and converted",
        Permission.READ,
        ConsumptionQuery,
        ConsumptionAnswer,
        consumption,
    ),
    Route(
        "/api/v1/events/preview",
        "What events would change, before they are entered",
        Permission.FILL,
        NoQuery,
        PreviewAnswer,
        preview_events,
        "POST",
        NewEvents,
    ),
    Route(
        "/api/v1/events/withdraw/preview",
        "What would change if an event held no longer",
        Permission.FILL,
        NoQuery,
        PreviewAnswer,
        preview_withdrawal,
        "POST",
        WithdrawalPreview,
    ),
    Route(
        "/api/v1/balance", "Main meters against their sub-meters", Permission.READ, BalanceQuery, BalanceAnswer, balance
    ),
    Route(
        "/api/v1/trees",
        "The trees that have consumption, virtual points, accounts and factor sets",
        Permission.READ,
        NoQuery,
        TreesAnswer,
        trees,
    ),
)
