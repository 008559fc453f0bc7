"""Routes of identity providers: signing in by one, and the links of accounts."""

from __future__ import annotations

from gateway.access.door import Visit
from gateway.access.roles import Permission
from gateway.accounts import openid_words as o
from gateway.accounts import words as w
from gateway.accounts.people import Account
from gateway.accounts.routes import own_account
from gateway.accounts.secrecy import csrf_of
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.audit.asking import asking
from gateway.audit.chain import Action
from gateway.services import Services


async def providers(services: Services, _query: NoQuery) -> o.ProvidersAnswer:
    # Where accounts are off there is nobody to sign in.
    found = services.accounts.openid.providers.all if services.door.required else ()
    return o.ProvidersAnswer([o.ProviderWords.of(p) for p in found])


async def begin(services: Services, _query: NoQuery, body: o.ByProvider) -> o.OnTheWay:
    if not services.door.required:
        raise RequestError("accounts are off here", 403)
    return o.OnTheWay(*await services.accounts.openid.begin(body.provider))


async def come_back(services: Services, _query: NoQuery, body: o.Back, visit: Visit) -> w.SignedIn:
    openid = services.accounts.openid
    vouched = await openid.vouched(body.flow, body.state, body.code, body.error, _trying)
    entered = await openid.sign_in(vouched, visit.origin, visit.session)
    visit.cookie, session = entered.secret, await services.accounts.sessions.find(entered.secret)
    half = session is not None and session.second
    if not half:
        name, told = entered.name, {"provider": vouched.provider.id, "subject": vouched.subject}
        await services.audit.record(Action.SIGN_IN, f"account/{name}", account=name, detail=told)
    return w.SignedIn("second" if half else "in", csrf_of(entered.secret))


def _trying(who: str) -> None:
    asking().trying = who


async def own_links(services: Services, _query: NoQuery, visit: Visit) -> o.LinksAnswer:
    return await _links(services, await own_account(services, visit))


async def begin_link(services: Services, _query: NoQuery, body: o.LinkByProvider, visit: Visit) -> o.OnTheWay:
    own = await own_account(services, visit)
    await services.accounts.must_know(own, body.password, visit.origin)
    return o.OnTheWay(*await services.accounts.openid.begin(body.provider, own))


async def finish_link(services: Services, _query: NoQuery, body: o.Back, visit: Visit) -> o.LinksAnswer:
    own, openid = await own_account(services, visit), services.accounts.openid
    vouched = await openid.vouched(body.flow, body.state, body.code, body.error)
    await openid.link(vouched, own, services.accounts.author(own.name))
    return await _links(services, own)


async def drop_link(services: Services, _query: NoQuery, body: w.ById, visit: Visit) -> o.LinksAnswer:
    own = await own_account(services, visit)
    await services.accounts.openid.subjects.unlink(body.id, own, services.accounts.author(own.name, body.why))
    return await _links(services, own)


async def links(services: Services, query: o.LinksOf) -> o.LinksAnswer:
    return await _links(services, (await services.accounts.people.one(query.account)).account)


async def add_link(services: Services, _query: NoQuery, body: o.NewLink, visit: Visit) -> o.LinksAnswer:
    account = (await services.accounts.people.one(body.name)).account
    author = services.accounts.author(visit.identity.account, body.why)
    await services.accounts.openid.link_named(account, body.provider, body.subject, author)
    return await _links(services, account)


async def drop_any_link(services: Services, _query: NoQuery, body: w.ById, visit: Visit) -> w.Nothing:
    author = services.accounts.author(visit.identity.account, body.why)
    await services.accounts.openid.subjects.unlink(body.id, None, author)
    return w.Nothing()


async def _links(services: Services, account: Account) -> o.LinksAnswer:
    found = await services.accounts.openid.subjects.of(account)
    return o.LinksAnswer([o.LinkWords.of(link) for link in found])


_OPEN, _OWN, _ADMINISTER = Permission.OPEN, Permission.OWN, Permission.ADMINISTER_SECURITY
_SESSION, _LINKS, _ALL = "/api/v1/session/provider", "/api/v1/links", "/api/v1/accounts/links"
_BEGIN, _BACK = "Be sent to an identity provider", "Sign in by what an identity provider says"
_LINK, _LINKED = "Begin to link one's own account to an identity", "Link one's own account to it"
_ADD, _DROP_ANY = "Link an account to an identity", "Take a link of anybody away"
ROUTES = (
    Route("/api/v1/session/providers", "Identity providers", _OPEN, NoQuery, o.ProvidersAnswer, providers),
    Route(_SESSION, _BEGIN, _OPEN, NoQuery, o.OnTheWay, begin, "POST", o.ByProvider),
    Route(f"{_SESSION}/return", _BACK, _OPEN, NoQuery, w.SignedIn, come_back, "POST", o.Back, True),
    Route(_LINKS, "One's own links to identities", _OWN, NoQuery, o.LinksAnswer, own_links, visits=True),
    Route(f"{_LINKS}/begin", _LINK, _OWN, NoQuery, o.OnTheWay, begin_link, "POST", o.LinkByProvider, True),
    Route(f"{_LINKS}/return", _LINKED, _OWN, NoQuery, o.LinksAnswer, finish_link, "POST", o.Back, True),
    Route(
        f"{_LINKS}/drop", "Take a link of one's own away", _OWN, NoQuery, o.LinksAnswer, drop_link, "POST", w.ById, True
    ),
    Route(_ALL, "Links of an account", _ADMINISTER, o.LinksOf, o.LinksAnswer, links),
    Route(_ALL, _ADD, _ADMINISTER, NoQuery, o.LinksAnswer, add_link, "POST", o.NewLink, True),
    Route(f"{_ALL}/drop", _DROP_ANY, _ADMINISTER, NoQuery, w.Nothing, drop_any_link, "POST", w.ById, True),
)
