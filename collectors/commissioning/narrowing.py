"""Several DL/T 645 meters on one line told apart: a wildcard for the leading digits, the last ones tried pair by pair.

DL/T 645-2007 lets whoever reads give the lowest pairs of an address and put AA for the others (缩位寻址); the meters
that fit answer with their whole address. Where answers collide, a further pair is tried: 100 questions each time.
CJ/T 188 has nothing like it: its wildcard stands for all of an address or for none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from collectors.dlt645.questions import FindAddress
from collectors.lines.line import NoAnswer, Refused, Reply, Untrusted
from collectors.lines.question import Question
from collectors.station_address import address_text

PAIRS = 100
_DIGITS = 12
# Where so many of a hundred questions bring what nobody understands it is noise.
_NOISE = 40


class Narrowing:
    """A search for the addresses on one line.

    ask : puts a question. strays : bytes that belonged to nobody so far. rest_s : how long a slower meter may take to
    speak after another one. begun, step : are told of so many questions to come, and of each. remark : of what is
    strange.
    """

    def __init__(
        self,
        ask: Callable[[Question], Awaitable[Reply]],
        strays: Callable[[], int],
        *,
        rest_s: float,
        begun: Callable[[int], None],
        step: Callable[[str], None],
        remark: Callable[[str], None],
    ) -> None:
        self._ask, self._strays, self._rest_s = ask, strays, rest_s
        self._begun, self._step, self._remark = begun, step, remark

    async def below(self, known: str = "") -> AsyncIterator[str]:
        """The addresses that end in some digits, each as it is found; the pair before these is tried from 00 to 99."""
        self._begun(PAIRS)
        crowded: list[str] = []
        for pair in range(PAIRS):
            ending = f"{pair:02d}{known}"
            self._step(f"DL/T 645 addresses …{ending}")
            address, alone = await self._answering(ending)
            if address is not None:
                yield address
            if not alone:
                crowded.append(ending)
        if len(crowded) > _NOISE:
            self._remark(f"DL/T 645: noise answers at {len(crowded)} of {PAIRS} endings; no further digits were tried")
            return
        for ending in crowded:
            if len(ending) == _DIGITS:
                self._remark(f"DL/T 645: what answers to {ending} is not understood; two meters may have this address")
                continue
            async for address in self.below(ending):
                yield address

    async def _answering(self, ending: str) -> tuple[str | None, bool]:
        """Who answers to an ending, where one is understood and confirms it; and whether nobody else spoke."""
        address = await self._heard(ending)
        if address is None:
            return None, True
        if address == "" or not await self.is_alone(address):
            return None, False
        return address, True

    async def is_alone(self, address: str) -> bool:
        """Whether a meter that was heard answers by its whole address, and nobody spoke after it at the wildcard."""
        before = self._strays()
        await asyncio.sleep(self._rest_s)
        confirmed = await self._heard(address)
        return confirmed == address and self._strays() == before

    async def _heard(self, ending: str) -> str | None:
        """The address of who answers, empty where that is not understood; None where nobody does."""
        try:
            return address_text((await self._ask(FindAddress(ending))).payload)
        except Untrusted:
            return ""
        except (NoAnswer, Refused):
            return None
