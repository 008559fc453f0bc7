"""Routes of bills."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.billing.answers import told
from gateway.billing.words import (
    AddedBillsAnswer,
    BillsAnswer,
    BillsQuery,
    BillWithdrawal,
    KeptBillWords,
    NewBills,
)
from gateway.services import Services


async def bills(services: Services, query: BillsQuery) -> BillsAnswer:
    return await told(services.bills, services.books, query)


async def add_bills(services: Services, _query: NoQuery, body: NewBills) -> AddedBillsAnswer:
    try:
        given = [words.bill for words in body.bills]
        return AddedBillsAnswer.of(await services.bills.add(given, body.who, body.why, again=body.again))
    except ValueError as error:
        raise RequestError(str(error)) from error


async def withdraw_bill(services: Services, _query: NoQuery, body: BillWithdrawal) -> KeptBillWords:
    return KeptBillWords.of(await services.bills.withdraw(body.id, body.who, body.why))


_ADD = "Enter bills of suppliers"
_WITHDRAW = "Let a wrong bill hold no longer"
ROUTES = (
    Route(
        "/api/v1/bills", "Bills of suppliers beside what was metered", Permission.READ, BillsQuery, BillsAnswer, bills
    ),
    Route("/api/v1/bills", _ADD, Permission.FILL, NoQuery, AddedBillsAnswer, add_bills, "POST", NewBills),
    Route(
        "/api/v1/bills/withdraw",
        _WITHDRAW,
        Permission.FILL,
        NoQuery,
        KeptBillWords,
        withdraw_bill,
        "POST",
        BillWithdrawal,
    ),
)
