"""Lockout: guessing on a name from an address becomes slow; other addresses are not concerned."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, insert, select, update

from energy.ports import Clock
from energy.readings import to_ms
from gateway.accounts.tables import UserFailureRow as Row
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.records.database import Records

FREE = 5
_FIRST_MS = 60_000
_LONGEST_MS = 30 * 60_000
_FORGOTTEN_MS = 24 * 3_600_000


def delay_ms(failures: int) -> int:
    """After so many failures the next attempt waits: none for the first few, then 1, 2, 4 … 30 minutes."""
    return 0 if failures < FREE else min(_LONGEST_MS, _FIRST_MS * 2 ** min(failures - FREE, 10))


class Lockout:
    """Attempts are counted before they are judged, so that many at once are not more than one after the other."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    async def attempt(self, name: str, address: str) -> None:
        """Count an attempt; RequestError 429 where it comes too soon. It then does not count."""
        now = to_ms(self._clock.now())
        own = (Row.name == name, Row.address == address)
        async with self._records.writing() as connection:
            await connection.execute(delete(Row).where(Row.last_at_ms < now - _FORGOTTEN_MS))
            found = (await connection.execute(select(Row.count, Row.last_at_ms).where(*own).with_for_update())).first()
            if found is None:
                await connection.execute(insert(Row).values(name=name, address=address, count=1, last_at_ms=now))
                return
            count, last_at_ms = found
            wait_ms = last_at_ms + delay_ms(count) - now
            if wait_ms > 0:
                raise _locked(wait_ms)
            await connection.execute(update(Row).where(*own).values(count=count + 1, last_at_ms=now))

    async def locked(self, names: Collection[str]) -> dict[str, int]:
        """Which of these names have to wait somewhere now, and until when [ms]."""
        now = to_ms(self._clock.now())
        wanted = select(Row.name, Row.count, Row.last_at_ms).where(Row.name.in_(names), Row.count >= FREE)
        found: dict[str, int] = {}
        async with self._records.reading() as connection:
            for name, count, last_at_ms in (await connection.execute(wanted)).all():
                until_ms = last_at_ms + delay_ms(count)
                if until_ms > now:
                    found[name] = max(until_ms, found.get(name, 0))
        return found

    async def forget(self, name: str, address: str | None = None) -> None:
        """An attempt has succeeded; without an address, those from everywhere are let go of."""
        own = [Row.name == name] if address is None else [Row.name == name, Row.address == address]
        async with self._records.writing() as connection:
            await connection.execute(delete(Row).where(*own))


def _locked(wait_ms: int) -> RequestError:
    seconds = -(-wait_ms // 1000)
    minutes = -(-seconds // 60)
    text = TextWords(f"尝试次数过多，请在 {minutes} 分钟后再试", f"Too many attempts; try again in {minutes} min")
    return RequestError(f"too many attempts; try again in {seconds} s", 429, text, retry_after_s=seconds)
