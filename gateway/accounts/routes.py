"""Routes of accounts: signing in and out, one's own password and tokens, and the administration of all."""

from __future__ import annotations

from energy.errors import UnknownName
from gateway.access.door import Visit
from gateway.access.roles import Permission
from gateway.accounts import words as w
from gateway.accounts.passwords import KEPT, KINDS, LONGEST
from gateway.accounts.people import Account, folded
from gateway.accounts.second import qr_of
from gateway.accounts.secrecy import csrf_of
from gateway.api.paging import cursor_of, key_of
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.api.words import TextWords
from gateway.audit.asking import asking
from gateway.audit.chain import Action
from gateway.services import Services

_NOT_ONESELF = TextWords("不能更改自己的权限或停用自己", "Nobody changes his own grants, or disables himself")


async def session(services: Services, _query: NoQuery, visit: Visit) -> w.SessionAnswer:
    return w.SessionAnswer.of(visit, services.books.kept.site.zone, required=services.door.required)


async def sign_in(services: Services, _query: NoQuery, body: w.SignIn, visit: Visit) -> w.SignedIn:
    asking().trying = folded(body.name)
    secret = await services.accounts.sign_in(body.name, body.password, visit.origin, visit.session)
    return await _signed_in(services, visit, secret)


async def sign_in_second(services: Services, _query: NoQuery, body: w.SecondFactor, visit: Visit) -> w.SignedIn:
    found = await services.accounts.sessions.numbered(visit.session) if visit.session is not None else None
    if found is None or not found.second:
        raise RequestError("sign in with the password first", 401)
    asking().trying = (await services.accounts.people.numbered(found.account)).account.name
    secret = await services.accounts.sign_in_second(found, body.code, visit.origin)
    return await _signed_in(services, visit, secret)


async def _signed_in(services: Services, visit: Visit, secret: str) -> w.SignedIn:
    visit.cookie = secret
    begun = await services.accounts.sessions.find(secret)
    half = begun is not None and begun.second
    name = asking().trying
    if name and not half:
        await services.audit.record(Action.SIGN_IN, f"account/{name}", account=name)
    return w.SignedIn("second" if half else "in", csrf_of(secret))


async def end_session(services: Services, _query: NoQuery, _body: w.Nothing, visit: Visit) -> w.SessionAnswer:
    if visit.session is not None:
        await services.accounts.sessions.end(visit.session)
        if name := visit.identity.account:
            await services.audit.record(Action.SIGN_OUT, f"account/{name}", account=name)
    visit.cookie = ""
    return w.SessionAnswer("required" if services.door.required else "off", "out")


async def change_password(services: Services, _query: NoQuery, body: w.NewPassword, visit: Visit) -> w.SignedIn:
    secret = await services.accounts.change_password(await _own(services, visit), body.old, body.new, visit.origin)
    return await _signed_in(services, visit, secret)


async def first(services: Services, _query: NoQuery, body: w.First, visit: Visit) -> w.SignedIn:
    asking().trying = folded(body.name)
    secret = await services.accounts.use_link(body.link, body.name, body.password, visit.origin)
    return await _signed_in(services, visit, secret)


async def enrol(services: Services, _query: NoQuery, body: w.OwnPassword, visit: Visit) -> w.Enrolled:
    own = await _own(services, visit)
    secret, address = await services.accounts.enrol(own, body.password, visit.origin)
    return w.Enrolled(secret, address, w.QrWords(*qr_of(address)))


async def confirm(services: Services, _query: NoQuery, body: w.SecondFactor, visit: Visit) -> w.RecoveryCodes:
    return w.RecoveryCodes(await services.accounts.confirm(await _own(services, visit), body.code))


async def drop_second(services: Services, _query: NoQuery, body: w.OwnPassword, visit: Visit) -> w.SessionAnswer:
    await services.accounts.drop_second(await _own(services, visit), body.password, visit.origin)
    return w.SessionAnswer.of(visit, services.books.kept.site.zone, required=services.door.required)


async def own_account(services: Services, _query: NoQuery, visit: Visit) -> w.OwnAccount:
    own = await _own(services, visit)
    accounts = services.accounts
    held = (await accounts.people.numbered(own.id)).held
    grants = [w.GrantWords.of(one, _names(services)) for one in held]
    sessions = [w.OwnSession.of(begun, visit.session) for begun in await accounts.sessions.of(own.id)]
    rules = w.RuleWords(accounts.password_rules.least, LONGEST, KINDS, KEPT)
    codes = await accounts.recovery_codes_left(own)
    return w.OwnAccount(own.name, own.created_at_ms, own.totp is not None, codes, grants, sessions, rules)


async def end_own_session(services: Services, _query: NoQuery, body: w.SessionId, visit: Visit) -> w.OwnAccount:
    own = await _own(services, visit)
    await services.accounts.sessions.end_of(own.id, body.id)
    await services.audit.record(Action.SIGN_OUT, f"account/{own.name}", account=own.name, detail={"session": body.id})
    if body.id == visit.session:
        visit.cookie = ""
    return await own_account(services, _query, visit)


async def own_tokens(services: Services, _query: NoQuery, visit: Visit) -> w.TokensAnswer:
    found = await services.accounts.tokens.of(await _own(services, visit))
    return w.TokensAnswer([w.TokenWords.of(token) for token in found])


async def make_token(services: Services, _query: NoQuery, body: w.NewToken, visit: Visit) -> w.TokenMade:
    own = await _own(services, visit)
    if visit.must_change:
        raise RequestError("change your password first", 403)
    author = services.accounts.author(own.name)
    return w.TokenMade(await services.accounts.tokens.make(own, body.name, body.scopes, body.days, author))


async def revoke_token(services: Services, _query: NoQuery, body: w.ById, visit: Visit) -> w.TokensAnswer:
    own = await _own(services, visit)
    await services.accounts.tokens.revoke(body.id, own, services.accounts.author(own.name, body.why))
    return await own_tokens(services, _query, visit)


async def _own(services: Services, visit: Visit) -> Account:
    try:
        return (await services.accounts.people.one(visit.identity.account)).account
    except UnknownName:
        raise RequestError("accounts are off here", 403, TextWords("此处未启用账户", "Accounts are off here")) from None


async def accounts(services: Services, query: w.AccountsQuery) -> w.AccountsAnswer:
    after = "" if query.cursor is None else _name_of(query.cursor)
    found, count = await services.accounts.people.sought(query.sought, query.limit + 1, after)
    page = found[: query.limit]
    locked = await services.accounts.lockout.locked([person.account.name for person in page])
    names = _names(services)
    told = [w.PersonWords.of(person, names, locked.get(person.account.name)) for person in page]
    return w.AccountsAnswer(told, count, cursor_of((page[-1].account.name,)) if len(found) > len(page) else None)


def _name_of(cursor: str) -> str:
    match key_of(cursor):
        case (str(name),):
            return name
        case _:
            raise RequestError("cursor is not one of this list")


def _names(services: Services) -> dict[str, TextWords]:
    return {o.id: TextWords.of(o.name) for o in services.accounts.organisations()}


async def _told(services: Services, name: str) -> w.PersonWords:
    person = await services.accounts.people.one(name)
    locked = await services.accounts.lockout.locked([person.account.name])
    return w.PersonWords.of(person, _names(services), locked.get(person.account.name))


async def organisations(services: Services, _query: NoQuery) -> w.OrganisationNames:
    found = services.accounts.organisations()
    return w.OrganisationNames([w.OrganisationName(o.id, o.parent, TextWords.of(o.name)) for o in found])


async def add_account(services: Services, _query: NoQuery, body: w.NewAccount, visit: Visit) -> w.FirstPassword:
    author = services.accounts.author(visit.identity.account, body.why)
    return w.FirstPassword(folded(body.name), await services.accounts.add(body.name, author))


async def disable_account(services: Services, _query: NoQuery, body: w.Disabling, visit: Visit) -> w.PersonWords:
    _must_be_anothers(body.name, visit)
    person = await services.accounts.people.one(body.name)
    author = services.accounts.author(visit.identity.account, body.why)
    await services.accounts.disable(person.account, author, disabled=body.disabled)
    return await _told(services, body.name)


async def reset_account(services: Services, _query: NoQuery, body: w.AccountName, visit: Visit) -> w.FirstPassword:
    person = await services.accounts.people.one(body.name)
    author = services.accounts.author(visit.identity.account, body.why)
    return w.FirstPassword(person.account.name, await services.accounts.reset(person.account, author))


async def reset_second(services: Services, _query: NoQuery, body: w.AccountName, visit: Visit) -> w.PersonWords:
    _must_be_anothers(body.name, visit)
    person = await services.accounts.people.one(body.name)
    await services.accounts.reset_second(person.account, services.accounts.author(visit.identity.account, body.why))
    return await _told(services, body.name)


async def unlock(services: Services, _query: NoQuery, body: w.AccountName, visit: Visit) -> w.PersonWords:
    person = await services.accounts.people.one(body.name)
    await services.accounts.unlock(person.account, services.accounts.author(visit.identity.account, body.why))
    return await _told(services, body.name)


async def end_sessions(services: Services, _query: NoQuery, body: w.AccountName, visit: Visit) -> w.PersonWords:
    person = await services.accounts.people.one(body.name)
    await services.accounts.end_sessions(person.account, services.accounts.author(visit.identity.account, body.why))
    return await _told(services, body.name)


async def add_grant(services: Services, _query: NoQuery, body: w.NewGrant, visit: Visit) -> w.PersonWords:
    _must_be_anothers(body.name, visit)
    person = await services.accounts.people.one(body.name)
    author = services.accounts.author(visit.identity.account, body.why)
    try:
        grant = body.grant
    except ValueError as error:
        raise RequestError(str(error)) from error
    if grant.organisation is not None and grant.organisation not in _names(services):
        raise UnknownName(f"organisation {grant.organisation} is not known")
    await services.accounts.people.grant(person, grant, author, body.from_ms, body.to_ms)
    return await _told(services, body.name)


async def revoke_grant(services: Services, _query: NoQuery, body: w.ById, visit: Visit) -> w.PersonWords:
    author = services.accounts.author(visit.identity.account, body.why)
    return await _told(services, await services.accounts.people.revoke(body.id, author))


async def tokens(services: Services, query: w.TokensOf) -> w.TokensAnswer:
    person = await services.accounts.people.one(query.account)
    return w.TokensAnswer([w.TokenWords.of(token) for token in await services.accounts.tokens.of(person.account)])


async def revoke_any_token(services: Services, _query: NoQuery, body: w.ById, visit: Visit) -> w.Nothing:
    author = services.accounts.author(visit.identity.account, body.why)
    await services.accounts.tokens.revoke(body.id, None, author)
    return w.Nothing()


def _must_be_anothers(name: str, visit: Visit) -> None:
    if folded(name) == visit.identity.account:
        raise RequestError(_NOT_ONESELF.en, 403, _NOT_ONESELF)


_OPEN, _OWN, _ADMINISTER = Permission.OPEN, Permission.OWN, Permission.ADMINISTER_SECURITY
_SIGN_IN, _SECOND = "Sign in by name and password", "The second factor, where the account has one"
_FIRST, _PASSWORD = "The first security administrator, by the one-time link", "Change one's own password"
_ENROL, _CONFIRM = "Begin with a second factor", "Let the second factor hold, by a code of it"
_DROP, _MAKE, _REVOKE = "Give the second factor up", "Make a token of one's own", "Revoke a token of one's own"
_END, _NAMES = "End a session of one's own", "Organisations by name, to grant roles of"
_ADD, _RESET = "Make an account", "Another first password; ends sessions and the second factor"
ROUTES = (
    Route("/api/v1/session", "Who is signed in", _OPEN, NoQuery, w.SessionAnswer, session, visits=True),
    Route("/api/v1/session", _SIGN_IN, _OPEN, NoQuery, w.SignedIn, sign_in, "POST", w.SignIn, True),
    Route("/api/v1/session/second", _SECOND, _OPEN, NoQuery, w.SignedIn, sign_in_second, "POST", w.SecondFactor, True),
    Route("/api/v1/session/end", "Sign out", _OPEN, NoQuery, w.SessionAnswer, end_session, "POST", w.Nothing, True),
    Route("/api/v1/password", _PASSWORD, _OWN, NoQuery, w.SignedIn, change_password, "POST", w.NewPassword, True),
    Route("/api/v1/first", _FIRST, _OPEN, NoQuery, w.SignedIn, first, "POST", w.First, True),
    Route("/api/v1/second/enrol", _ENROL, _OWN, NoQuery, w.Enrolled, enrol, "POST", w.OwnPassword, True),
    Route("/api/v1/second/confirm", _CONFIRM, _OWN, NoQuery, w.RecoveryCodes, confirm, "POST", w.SecondFactor, True),
    Route("/api/v1/second/drop", _DROP, _OWN, NoQuery, w.SessionAnswer, drop_second, "POST", w.OwnPassword, True),
    Route("/api/v1/tokens", "One's own tokens", _OWN, NoQuery, w.TokensAnswer, own_tokens, visits=True),
    Route("/api/v1/tokens", _MAKE, _OWN, NoQuery, w.TokenMade, make_token, "POST", w.NewToken, True),
    Route("/api/v1/tokens/revoke", _REVOKE, _OWN, NoQuery, w.TokensAnswer, revoke_token, "POST", w.ById, True),
    Route("/api/v1/account", "One's own account", _OWN, NoQuery, w.OwnAccount, own_account, visits=True),
    Route("/api/v1/sessions/end", _END, _OWN, NoQuery, w.OwnAccount, end_own_session, "POST", w.SessionId, True),
    Route("/api/v1/accounts", "Accounts by name", _ADMINISTER, w.AccountsQuery, w.AccountsAnswer, accounts),
    Route("/api/v1/accounts/organisations", _NAMES, _ADMINISTER, NoQuery, w.OrganisationNames, organisations),
    Route(
        "/api/v1/accounts/second/reset",
        "Take the second factor of an account away; ends sessions",
        _ADMINISTER,
        NoQuery,
        w.PersonWords,
        reset_second,
        "POST",
        w.AccountName,
        True,
    ),
    Route(
        "/api/v1/accounts/unlock",
        "Let an account that was guessed at sign in at once",
        _ADMINISTER,
        NoQuery,
        w.PersonWords,
        unlock,
        "POST",
        w.AccountName,
        True,
    ),
    Route(
        "/api/v1/accounts/sessions/end",
        "End all sessions of an account",
        _ADMINISTER,
        NoQuery,
        w.PersonWords,
        end_sessions,
        "POST",
        w.AccountName,
        True,
    ),
    Route("/api/v1/accounts", _ADD, _ADMINISTER, NoQuery, w.FirstPassword, add_account, "POST", w.NewAccount, True),
    Route(
        "/api/v1/accounts/disable",
        "Let an account sign in no more, or again",
        _ADMINISTER,
        NoQuery,
        w.PersonWords,
        disable_account,
        "POST",
        w.Disabling,
        True,
    ),
    Route(
        "/api/v1/accounts/reset",
        _RESET,
        _ADMINISTER,
        NoQuery,
        w.FirstPassword,
        reset_account,
        "POST",
        w.AccountName,
        True,
    ),
    Route("/api/v1/grants", "Grant a role", _ADMINISTER, NoQuery, w.PersonWords, add_grant, "POST", w.NewGrant, True),
    Route(
        "/api/v1/grants/revoke", "End a grant", _ADMINISTER, NoQuery, w.PersonWords, revoke_grant, "POST", w.ById, True
    ),
    Route("/api/v1/accounts/tokens", "Tokens of an account", _ADMINISTER, w.TokensOf, w.TokensAnswer, tokens),
    Route(
        "/api/v1/accounts/tokens/revoke",
        "Revoke a token of anybody",
        _ADMINISTER,
        NoQuery,
        w.Nothing,
        revoke_any_token,
        "POST",
        w.ById,
        True,
    ),
)
