"""Routes of stocks of fuels."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.services import Services
from gateway.stock.answers import used
from gateway.stock.words import (
    AddedMovesAnswer,
    KeptMoveWords,
    MoveWithdrawal,
    NewMoves,
    StockAnswer,
    StockQuery,
)


async def stock(services: Services, query: StockQuery) -> StockAnswer:
    return await used(services.stock, services.books, query)


async def add_moves(services: Services, _query: NoQuery, body: NewMoves) -> AddedMovesAnswer:
    try:
        given = [words.move for words in body.moves]
        return AddedMovesAnswer.of(await services.stock.add(given, body.who, body.why, again=body.again))
    except ValueError as error:
        raise RequestError(str(error)) from error


async def withdraw_move(services: Services, _query: NoQuery, body: MoveWithdrawal) -> KeptMoveWords:
    return KeptMoveWords.of(await services.stock.withdraw(body.id, body.who, body.why))


_ADD = "Enter what was bought, counted or used of fuels"
_WITHDRAW = "Let a wrong entry of a stock hold no longer"
ROUTES = (
    Route(
        "/api/v1/stock",
        "What was used of fuels that are bought and kept",
        Permission.READ,
        StockQuery,
        StockAnswer,
        stock,
    ),
    Route("/api/v1/stock", _ADD, Permission.FILL, NoQuery, AddedMovesAnswer, add_moves, "POST", NewMoves),
    Route(
        "/api/v1/stock/withdraw",
        _WITHDRAW,
        Permission.FILL,
        NoQuery,
        KeptMoveWords,
        withdraw_move,
        "POST",
        MoveWithdrawal,
    ),
)
