"""Flows: somebody was sent to an identity provider, and comes back once, with the same browser, within minutes."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from energy.ports import Clock
from energy.readings import to_ms
from gateway.accounts.secrecy import Seal, hashed, new_secret
from gateway.accounts.tables import UserFlowRow as Row
from gateway.api.problems import RequestError
from gateway.records.database import Records

_LASTS_MS = 10 * 60_000
# Anybody can begin one; so many wait at a time.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Flow:
    """`nonce` is told to the provider and comes back in the token; `verifier` is shown to it with the code.

    account : whose link it is to become; None to sign in.
    """

    provider: str
    nonce: str
    verifier: str
    account: int | None


@dataclass(frozen=True, slots=True)
class Begun:
    """A flow with what the browser keeps (`secret`) and what goes around with it (`state`)."""

    flow: Flow
    secret: str
    state: str


class Flows:
    """The flows of an installation."""

    def __init__(self, records: Records, clock: Clock, seal: Seal) -> None:
        self._records, self._clock, self._seal = records, clock, seal

    async def begin(self, provider: str, account: int | None) -> Begun:
        now = to_ms(self._clock.now())
        made = Begun(Flow(provider, new_secret(), new_secret(), account), new_secret(), new_secret())
        row = {"hash": hashed(made.secret), "state": hashed(made.state), "provider": provider, "account": account}
        kept = {"nonce": made.flow.nonce, "verifier": self._seal.sealed(made.flow.verifier)}
        async with self._records.writing() as connection:
            await connection.execute(delete(Row).where(Row.expires_at_ms <= now))
            if int((await connection.execute(select(func.count()).select_from(Row))).scalar_one()) >= _MOST:
                raise RequestError("too many are on their way to be signed in; try again later", 429, retry_after_s=60)
            await connection.execute(insert(Row).values(**row, **kept, expires_at_ms=now + _LASTS_MS))
        return made

    async def take(self, secret: str, state: str) -> Flow | None:
        """The flow of a browser that comes back, once; None where it is none, too late, or has another state."""
        async with self._records.writing() as connection:
            taken = delete(Row).where(Row.hash == hashed(secret)).returning(*Row.__table__.c)
            found = (await connection.execute(taken)).first()
        if found is None or found.expires_at_ms <= to_ms(self._clock.now()):
            return None
        if not hmac.compare_digest(found.state, hashed(state)):
            return None
        return Flow(found.provider, found.nonce, self._seal.opened(found.verifier), found.account)
