"""Routes of contracts and statements."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from adapters.papers_xlsx import workbook_of
from analytics.contracts.baseline import COEFFICIENT_DIGITS, whole
from analytics.contracts.inputs import Adjustment
from analytics.contracts.standing import Party, Standing, Step, StepKind
from energy.papers import Paper
from gateway.access.door import Visit
from gateway.access.roles import Permission, Role
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.contracts import words as w
from gateway.contracts.answers import (
    adjustments_answer,
    baseline_words,
    contract_answer,
    contracts_of,
    draft_words,
    fitted_as,
    fitted_days,
    statement_words,
)
from gateway.contracts.paper import paper_of
from gateway.services import Services


async def contracts(services: Services, _query: NoQuery) -> w.ContractsAnswer:
    return await contracts_of(services.contracts)


async def contract(services: Services, query: w.ContractQuery) -> w.ContractAnswer:
    return await contract_answer(services.contracts, query.contract, services.contracts.rules)


# -- baselines --------------------------------------------------------------------------------------------------------


async def preview_baseline(services: Services, _query: NoQuery, body: w.BaselineAsked) -> w.BaselineAnswer:
    made, values = await fitted_as(services.contracts, body)
    return w.BaselineAnswer(baseline_words(made), [] if values is None else fitted_days(made, values))


async def freeze_baseline(services: Services, _query: NoQuery, body: w.NewBaseline) -> w.BaselineAnswer:
    made, values = await fitted_as(services.contracts, body.asked)
    kept = await services.contracts.freeze_baseline(body.asked.contract, made, body.who, body.why)
    return w.BaselineAnswer(baseline_words(kept.baseline), [] if values is None else fitted_days(made, values))


async def add_adjustment(services: Services, _query: NoQuery, body: w.NewAdjustment) -> w.AdjustmentsAnswer:
    try:
        per_day = whole(str(body.per_day), COEFFICIENT_DIGITS)
    except ValueError as error:
        raise RequestError(f"per_day: {error}") from error
    adjustment = Adjustment(0, body.clause, body.from_, body.to, per_day, body.formula, body.evidence, "", "")
    await services.contracts.adjust(body.contract, adjustment, body.who, body.why)
    return await adjustments_answer(services.contracts, body.contract)


async def withdraw_adjustment(services: Services, _query: NoQuery, body: w.AdjustmentWithdrawal) -> w.AdjustmentsAnswer:
    contract_id = await services.contracts.withdraw_adjustment(body.id, body.who, body.why)
    return await adjustments_answer(services.contracts, contract_id)


# -- statements -------------------------------------------------------------------------------------------------------


async def statement(services: Services, query: w.StatementQuery, visit: Visit) -> w.StatementAnswer:
    kept = await services.contracts.statement(query.statement)
    return statement_words(kept, speaks_for(visit, services))


async def draft_statement(services: Services, _query: NoQuery, body: w.StatementAsked) -> w.StatementAnswer:
    made, objections = await services.contracts.draft(body.contract, body.from_, body.to)
    amounts = {line["id"]: Decimal(line["amount"]) for line in made["lines"]}
    return draft_words(made, objections, Standing(amounts), ())


async def freeze_statement(
    services: Services, _query: NoQuery, body: w.NewStatement, visit: Visit
) -> w.StatementAnswer:
    kept = await services.contracts.freeze(body.contract, body.from_, body.to, body.who, body.why)
    return statement_words(kept, speaks_for(visit, services))


async def take_step(services: Services, _query: NoQuery, body: w.NewStep, visit: Visit) -> w.StatementAnswer:
    await services.contracts.statement(body.statement)
    may = speaks_for(visit, services)
    if body.kind is StepKind.REVERSED:
        raise RequestError("a statement is taken back at /api/v1/statements/reverse, which says why")
    if body.party not in may:
        mine = " or ".join(may) or "no party"
        raise RequestError(f"you speak for {mine} of this contract, not for the {body.party}", status=403)
    step = Step(body.kind, body.party, body.line)
    return statement_words(await services.contracts.take(body.statement, step, body.who, body.why), may)


async def reverse_statement(
    services: Services, _query: NoQuery, body: w.NewReversal, visit: Visit
) -> w.StatementAnswer:
    kept = await services.contracts.reverse(body.statement, body.who, body.why)
    return statement_words(kept, speaks_for(visit, services))


def speaks_for(visit: Visit, services: Services) -> list[Party]:
    """For whom somebody speaks: who is a contract partner for the ESCO alone, whoever else may confirm for the client.
    Where accounts are off, for both."""
    if not services.door.required:
        return list(Party)
    granted = visit.identity.granted(Permission.CONFIRM)
    if any(grant.role is Role.PARTNER for grant in granted):
        return [Party.ESCO]
    return [Party.CLIENT] if granted else []


async def statement_file(services: Services, query: w.FileQuery) -> w.StatementFile:
    kept = await services.contracts.statement(query.statement)
    match query.format:
        case "json":
            return w.StatementBundle(f"{kept.number}.json", kept.text.encode())
        case "pdf":
            return w.StatementPaper(f"{kept.number}.pdf", await asyncio.to_thread(_pdf_of, paper_of(kept)))
        case "xlsx":
            return w.StatementBook(f"{kept.number}.xlsx", workbook_of(paper_of(kept)))


def _pdf_of(paper: Paper) -> bytes:
    """In a thread, where the first one may wait for the library, too."""
    from adapters.papers_pdf import pdf_of

    return pdf_of(paper)


_READ, _APPROVE, _CONFIRM = Permission.READ, Permission.APPROVE, Permission.CONFIRM
ROUTES: tuple[Route[Services], ...] = (
    Route("/api/v1/contracts", "Contracts paid from savings", _READ, NoQuery, w.ContractsAnswer, contracts),
    Route(
        "/api/v1/contracts/{contract}",
        "A contract with its baselines, adjustments and statements",
        _READ,
        w.ContractQuery,
        w.ContractAnswer,
        contract,
    ),
    Route(
        "/api/v1/baselines/preview",
        "Fit a baseline, and see it beside its days",
        _APPROVE,
        NoQuery,
        w.BaselineAnswer,
        preview_baseline,
        "POST",
        w.BaselineAsked,
    ),
    Route(
        "/api/v1/baselines/freeze",
        "Freeze a baseline; statements go by it from now on",
        _APPROVE,
        NoQuery,
        w.BaselineAnswer,
        freeze_baseline,
        "POST",
        w.NewBaseline,
    ),
    Route(
        "/api/v1/adjustments",
        "Enter a non-routine adjustment of a baseline",
        _APPROVE,
        NoQuery,
        w.AdjustmentsAnswer,
        add_adjustment,
        "POST",
        w.NewAdjustment,
    ),
    Route(
        "/api/v1/adjustments/withdraw",
        "Let a wrong adjustment hold no longer",
        _APPROVE,
        NoQuery,
        w.AdjustmentsAnswer,
        withdraw_adjustment,
        "POST",
        w.AdjustmentWithdrawal,
    ),
    Route(
        "/api/v1/statements/{statement}",
        "A frozen statement, its lines down to the registers",
        _READ,
        w.StatementQuery,
        w.StatementAnswer,
        statement,
        visits=True,
    ),
    Route(
        "/api/v1/statements/{statement}/file",
        "A frozen statement as the file that can be verified, as PDF or as Excel",
        _READ,
        w.FileQuery,
        w.StatementFile,
        statement_file,
    ),
    Route(
        "/api/v1/statements/draft",
        "A statement as it would be frozen now",
        _APPROVE,
        NoQuery,
        w.StatementAnswer,
        draft_statement,
        "POST",
        w.StatementAsked,
    ),
    Route(
        "/api/v1/statements/freeze",
        "Freeze the statement of some days",
        _APPROVE,
        NoQuery,
        w.StatementAnswer,
        freeze_statement,
        "POST",
        w.NewStatement,
        visits=True,
    ),
    Route(
        "/api/v1/statements/step",
        "Confirm a statement, dispute a line, or say how payment goes",
        _CONFIRM,
        NoQuery,
        w.StatementAnswer,
        take_step,
        "POST",
        w.NewStep,
        visits=True,
    ),
    Route(
        "/api/v1/statements/reverse",
        "Take a statement back by a reversing one",
        _APPROVE,
        NoQuery,
        w.StatementAnswer,
        reverse_statement,
        "POST",
        w.NewReversal,
        visits=True,
    ),
)
