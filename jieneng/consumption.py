"""What `jieneng consumption` answers: the ledger of a data folder, or of the gateway that runs on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from energy.errors import StoreError
from energy.periods import Span
from energy.readings import from_ms, to_ms
from gateway.ledger.answers import consumption as answered
from gateway.ledger.words import ConsumptionAnswer, ConsumptionQuery, FigureWords, MediumWords, ShareWords
from jieneng.books import open_books
from jieneng.running import asked
from jieneng.settings import Settings


class PeriodWords(msgspec.Struct, rename={"from_": "from"}):
    """What flowed in a period; `value` is null where nothing is known, `estimated` the part of it spread over gaps."""

    from_: str
    to: str
    value: float | None
    estimated: float
    cost: str | None
    shares: ShareWords


class DoubtLine(msgspec.Struct, rename={"from_": "from"}):
    """Something that a register did and no meter does."""

    meter: str
    kind: str
    from_: str
    to: str


class Consumed(msgspec.Struct, rename={"from_": "from"}):
    """What flowed through a point, or one medium of a node, by period and in total; `strayed` readings do not count."""

    point: str
    quantity: str
    unit: str
    from_: str
    to: str
    by: str
    total: PeriodWords
    periods: list[PeriodWords]
    strayed: list[str]
    doubts: list[DoubtLine]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for."""

    of: str
    start: datetime
    end: datetime
    by: Span
    zone: str | None


async def consumption(settings: Settings, question: Question) -> list[Consumed]:
    """The answer: of a point one, of a node one for each medium."""
    query = ConsumptionQuery(question.of, to_ms(question.start), to_ms(question.end), question.by.value, compare=False)
    try:
        async with open_books(settings, question.zone) as books:
            await books.catch_up()
            answer = await answered(books, query)
    except StoreError as locked:
        answer = await asyncio.to_thread(_from_gateway, settings, query, locked)
    return [_consumed(answer, medium) for medium in answer.media]


def _from_gateway(settings: Settings, query: ConsumptionQuery, locked: StoreError) -> ConsumptionAnswer:
    """The answer of the gateway that holds the store."""
    given = {"of": query.of, "from": query.from_, "to": query.to, "by": query.by, "compare": "false"}
    return asked(settings, "/api/v1/consumption", given, ConsumptionAnswer, locked)


def _consumed(answer: ConsumptionAnswer, medium: MediumWords) -> Consumed:
    zone = ZoneInfo(answer.zone)
    edges = [from_ms(e).astimezone(zone).isoformat() for e in answer.edges]
    doubts = [
        DoubtLine(d.meter, d.kind, *(from_ms(t).astimezone(zone).isoformat() for t in (d.from_, d.to)))
        for d in answer.doubts
    ]
    return Consumed(
        answer.of,
        medium.quantity,
        medium.unit,
        edges[0],
        edges[-1],
        answer.by,
        _period(edges[0], edges[-1], medium.total),
        [_period(edges[i], edges[i + 1], figure) for i, figure in enumerate(medium.periods)],
        [d.from_ for d in doubts if d.kind == "strayed"],
        [d for d in doubts if d.kind != "strayed"],
    )


def _period(start: str, end: str, figure: FigureWords) -> PeriodWords:
    return PeriodWords(start, end, figure.value, figure.estimated, figure.cost, figure.shares)
