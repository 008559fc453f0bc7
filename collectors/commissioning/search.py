"""Looking for meters on a line at one speed: who answers, and then what each is. Nothing is ever written.

Whoever answers is kept at once, so that a search that is stopped has lost nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from collectors.asked import Now
from collectors.cjt188.make import RecordMake
from collectors.cjt188.questions import ReadAddress as ReadRecordAddress
from collectors.commissioning.finding import Finding, Findings
from collectors.commissioning.fingerprint import ranked
from collectors.commissioning.look import Look
from collectors.commissioning.narrowing import Narrowing
from collectors.commissioning.noted_line import NotedLine
from collectors.commissioning.order import CJT188, DLT645, MODBUS, Asking
from collectors.dlt645.questions import ReadAddress as ReadItemAddress
from collectors.lines.line import NoAnswer, Refused, Reply, Unreachable, Untrusted
from collectors.lines.modbus_identification import named
from collectors.makes import SPOKEN, Make
from collectors.meter_profile import Profile, Table
from collectors.planner import Block
from collectors.station_address import address_text
from energy.errors import LineError

Told = Callable[[str, float], None]
# A gateway says so of a meter behind it that does not answer: no proof of anybody.
_SILENT_BEHIND = (10, 11)
_MOST_NOTES = 12


class Search:
    """One search on one line."""

    def __init__(
        self,
        line: NotedLine,
        asking: Asking,
        makes: Sequence[Make],
        found: Findings,
        *,
        now: Now,
        told: Told = lambda what, share: None,
    ) -> None:
        self._line, self._asking, self._makes, self._found = line, asking, makes, found
        self._now, self._told = now, told
        self._done, self._due = 0, 1
        self._is_looking, self._lost = False, 0

    async def run(self) -> None:
        """Everything; Unreachable where the line cannot be opened."""
        mine: list[Finding] = []
        units = list(self._asking.units) if MODBUS in self._asking.protocols else []
        wildcards = [p for p in self._asking.protocols if p != MODBUS and not self._line.speaks_tcp]
        self._due = 2 * len(units) + len(wildcards)
        silent = await self._present(units, Table.HOLDING, mine)
        await self._present(silent, Table.INPUT, mine)
        for protocol in wildcards:
            await self._wildcard(protocol, mine)
        self._is_looking, self._done, self._due = True, 0, sum(len(self._makes_of(finding)) for finding in mine)
        for finding in mine:
            await self._look_at(finding)
        if self._line.speaks_tcp and len(units) > 3 and len(mine) == len(units):
            self._remark(
                f"{self._line.address}: every unit that was asked answered; it is probably one meter that does not "
                "look at the unit id"
            )

    def _step(self, what: str) -> None:
        """Half of the way is to find them, half to look at them."""
        self._done += 1
        self._told(what, (self._is_looking + min(1.0, self._done / max(1, self._due))) / 2)

    async def _present(self, units: Sequence[int], table: Table, mine: list[Finding]) -> list[int]:
        """Asks units for their first register; those that say nothing."""
        silent: list[int] = []
        for unit in units:
            proof = await self._proof(unit, table)
            if proof is None:
                silent.append(unit)
            else:
                self._keep(Finding(self._line.address, MODBUS, unit, None, proof), mine)
                # The second round is spared.
                self._done += table is Table.HOLDING
            self._step(f"unit {unit}, function {table.function}")
        return silent

    async def _proof(self, unit: int, table: Table) -> str | None:
        try:
            await self._tried(lambda: self._line.read(unit, Block(table, 0, 1)))
        except Refused as refused:
            return None if refused.code in _SILENT_BEHIND else f"function {table.function}: {refused}"
        except Untrusted as error:
            self._remark(str(error))
            return None
        except NoAnswer:
            return None
        return f"function {table.function} answered"

    def _remark(self, text: str) -> None:
        """Something strange; a line on which everything is, is not told at length."""
        if len(self._found.notes) < _MOST_NOTES:
            self._found.notes.append(text)

    def _keep(self, finding: Finding, mine: list[Finding]) -> None:
        mine.append(finding)
        self._found.meters.append(finding)

    async def _wildcard(self, protocol: str, mine: list[Finding]) -> None:
        """Asks for the address of whoever speaks a protocol; where several do, DL/T 645 can tell them apart."""
        question = ReadItemAddress() if protocol == DLT645 else ReadRecordAddress()
        try:
            payload = (await self._tried(lambda: self._line.ask(question))).payload
        except Untrusted as error:
            if protocol == DLT645:
                await self._narrow(mine)
            else:
                self._remark(
                    f"{error}: perhaps several {SPOKEN[protocol]} meters answer at once; "
                    "connect one at a time, or read the addresses off their plates"
                )
        except (NoAnswer, Refused):
            pass
        else:
            # CJ/T 188 puts the kind of meter before the address.
            kind = payload[0] if protocol == CJT188 else None
            address = address_text(payload if kind is None else payload[1:])
            proof = f"{SPOKEN[protocol]} address" + ("" if kind is None else f", type {kind:02X}")
            self._keep(Finding(self._line.address, protocol, None, address, proof, kind), mine)
            if protocol == DLT645 and not await self._narrowing().is_alone(address):
                await self._narrow(mine)
        self._step(SPOKEN[protocol])

    async def _narrow(self, mine: list[Finding]) -> None:
        """Several answered: they are told apart by the last digits of their addresses."""
        known = {finding.address for finding in mine}
        before = len(mine)
        async for address in self._narrowing().below():
            if address not in known:
                self._keep(Finding(self._line.address, DLT645, None, address, f"{SPOKEN[DLT645]} address"), mine)
        if len(mine) == before and not known:
            self._remark(f"{self._line.address}: bytes came to the wildcard of DL/T 645, but no meter was understood")

    def _narrowing(self) -> Narrowing:
        return Narrowing(
            lambda question: self._tried(lambda: self._line.ask(question)),
            lambda: self._line.strays,
            rest_s=self._asking.timeout_s,
            begun=self._further,
            step=self._step,
            remark=self._remark,
        )

    def _further(self, questions: int) -> None:
        self._due += questions

    async def _tried(self, asked: Callable[[], Awaitable[Reply]]) -> Reply:
        """One question; a connection that is lost is made anew once, and then given up."""
        try:
            reply = await asked()
        except Unreachable:
            self._lost += 1
            if self._lost > 1 or not self._done:
                raise
            return await self._tried(asked)
        except LineError:
            self._lost = 0
            raise
        self._lost = 0
        return reply

    def _makes_of(self, finding: Finding) -> list[Make]:
        if finding.protocol == MODBUS:
            return [make for make in self._makes if isinstance(make, Profile)]
        of = [make for make in self._makes if not isinstance(make, Profile) and make.protocol == finding.protocol]
        if finding.protocol == CJT188:
            return [make for make in of if isinstance(make, RecordMake) and make.meter_type == finding.meter_type]
        return list(of)

    async def _look_at(self, finding: Finding) -> None:
        """What it is: by what it says of itself, and by how each make's reading of it makes sense."""
        if finding.unit is not None:
            try:
                asked = self._line.identification(finding.unit)
                finding.identification = named(await asked)
            except LineError:
                # Few meters know this function; most refuse it.
                pass
        look = Look(self._line, finding, self._now)
        for make in self._makes_of(finding):
            if not look.is_given_up:
                finding.fits = ranked([*finding.fits, await look.at(make)])
            self._step(f"{finding.station}: {make.id}")
        for fit in finding.likely:
            if await look.counts_backwards(fit):
                finding.fits = ranked([f for f in finding.fits if f is not fit])
                finding.note = f"{fit.make.id} is ruled out: its counter fell while it was looked at"
        if look.is_given_up:
            finding.note = "stopped answering while it was looked at"
        finding.looked_at = True
