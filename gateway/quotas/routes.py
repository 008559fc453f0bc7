"""Routes of quotas."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.quotas import words as w
from gateway.quotas.answers import listed, must_be_known, one
from gateway.quotas.previews import previewed, standards_told
from gateway.services import Services


async def quotas(services: Services, query: w.QuotasQuery) -> w.QuotasAnswer:
    return await listed(services.quotas, services.books, query)


async def quota(services: Services, query: w.QuotaQuery) -> w.QuotaAnswer:
    return await one(services.quotas, services.books, query)


async def standards(services: Services, _query: NoQuery) -> w.StandardsAnswer:
    return standards_told(services.quotas.standards)


async def crossings(services: Services, query: w.CrossingsQuery) -> w.CrossingsAnswer:
    found = await services.quotas.crossings.crossings(standing=query.standing, after=query.after)
    return w.CrossingsAnswer([w.QuotaCrossingWords.told(c) for c in found])


async def add_quotas(services: Services, _query: NoQuery, body: w.NewQuotas) -> w.AddedQuotasAnswer:
    try:
        given = [words.quota for words in body.quotas]
    except ValueError as error:
        raise RequestError(str(error)) from error
    for one_of_them in given:
        must_be_known(services.books, one_of_them)
    return w.AddedQuotasAnswer.of(await services.quotas.entries.add(given, body.who, body.why, again=body.again))


async def preview(services: Services, _query: NoQuery, body: w.QuotaPreview) -> w.QuotaPreviewAnswer:
    try:
        return await previewed(services.quotas, services.books, body)
    except ValueError as error:
        raise RequestError(str(error)) from error


async def withdraw_quota(services: Services, _query: NoQuery, body: w.QuotaWithdrawal) -> w.KeptQuotaWords:
    return w.KeptQuotaWords.of(await services.quotas.entries.withdraw(body.id, body.who, body.why))


_ALL = "Quotas of an organisation and those below it, and how the year goes against them"
_ONE = "A quota: the curve of its year with an interval, its months and versions"
_PREVIEW = "What a quota would be by a standard, by own history or as given, and how the year would go"
# Those with a word of their own stand before `{id}`, which would take it.
ROUTES = (
    Route("/api/v1/quotas", _ALL, Permission.READ, w.QuotasQuery, w.QuotasAnswer, quotas),
    Route(
        "/api/v1/quotas/standards",
        "Quota standards that are known, with their sources",
        Permission.READ,
        NoQuery,
        w.StandardsAnswer,
        standards,
    ),
    Route(
        "/api/v1/quotas/crossings",
        "Bounds of quotas that were crossed",
        Permission.READ,
        w.CrossingsQuery,
        w.CrossingsAnswer,
        crossings,
    ),
    Route("/api/v1/quotas/{id}", _ONE, Permission.READ, w.QuotaQuery, w.QuotaAnswer, quota),
    Route(
        "/api/v1/quotas",
        "Enter quotas",
        Permission.APPROVE,
        NoQuery,
        w.AddedQuotasAnswer,
        add_quotas,
        "POST",
        w.NewQuotas,
    ),
    Route(
        "/api/v1/quotas/preview",
        _PREVIEW,
        Permission.APPROVE,
        NoQuery,
        w.QuotaPreviewAnswer,
        preview,
        "POST",
        w.QuotaPreview,
    ),
    Route(
        "/api/v1/quotas/withdraw",
        "Let a wrong quota hold no longer",
        Permission.APPROVE,
        NoQuery,
        w.KeptQuotaWords,
        withdraw_quota,
        "POST",
        w.QuotaWithdrawal,
    ),
)
