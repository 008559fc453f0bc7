"""Whatever addresses the meters on a line have, each is found once, and noise is not asked for ever."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.commissioning.narrowing import PAIRS, Narrowing
from collectors.dlt645.frame import Frame, encode
from collectors.dlt645.questions import FindAddress
from collectors.lines.line import NoAnswer, Reply, Untrusted
from collectors.lines.question import Answered, NotTheAnswer, Question
from collectors.station_address import address_bytes

NOW = datetime(2026, 1, 14, 2, tzinfo=UTC)


class Bus:
    """Meters that answer at once and garble each other; `noise` answers to endings for which nobody is there.

    `slow` ones speak after the others, where nobody listens any more.
    """

    def __init__(self, addresses: list[str], *, noise: str = "", slow: str = "") -> None:
        self.addresses, self.noise, self.slow = addresses, noise, slow
        self.asked: Counter[str] = Counter()
        self.strays = self._late = 0
        self.remarks: list[str] = []

    async def ask(self, question: Question) -> Reply:
        assert isinstance(question, FindAddress)
        self.asked[question.ending] += 1
        # What came after its time is found before the next question goes out.
        self.strays, self._late = self.strays + self._late, 0
        fit = [a for a in self.addresses if a.endswith(question.ending)]
        if self.slow in fit and len(fit) > 1:
            fit.remove(self.slow)
            self._late = 20
        if len(fit) > 1 or (not fit and self.noise and question.ending.endswith(self.noise)):
            raise Untrusted("garbled")
        if not fit:
            raise NoAnswer("nothing")
        return Reply(address_bytes(fit[0]), NOW, 0.1)

    async def found(self) -> list[str]:
        narrowing = Narrowing(
            self.ask,
            lambda: self.strays,
            rest_s=0.0,
            begun=lambda questions: None,
            step=lambda what: None,
            remark=self.remarks.append,
        )
        return [address async for address in narrowing.below()]


digits = st.text("0123", min_size=12, max_size=12)


@settings(max_examples=30, deadline=None)
@given(st.sets(digits, min_size=1, max_size=6))
async def test_every_address_is_found_once(addresses: set[str]) -> None:
    bus = Bus(sorted(addresses))

    assert sorted(await bus.found()) == sorted(addresses)
    assert bus.remarks == []


async def test_meters_that_differ_in_the_last_pair_cost_a_hundred_questions_and_one_to_confirm_each() -> None:
    bus = Bus(["000000000007", "000000000008"])
    await bus.found()

    assert bus.asked.total() == PAIRS + 2


async def test_who_speaks_after_another_one_is_found_too() -> None:
    bus = Bus(["000000000107", "000000000207"], slow="000000000207")

    assert await bus.found() == ["000000000107", "000000000207"]


async def test_noise_is_told_and_not_asked_for_ever() -> None:
    bus = Bus([], noise="7")
    assert await bus.found() == []
    # Ten endings of the first hundred, a hundred below each of them that all end in 7 as well: that is noise.
    assert bus.asked.total() == PAIRS + 10 * PAIRS
    assert {remark.split(";")[0] for remark in bus.remarks} == {"DL/T 645: noise answers at 100 of 100 endings"}


async def test_two_meters_of_one_address_are_told() -> None:
    bus = Bus(["000000000007", "000000000007"])

    assert await bus.found() == []
    assert bus.remarks == ["DL/T 645: what answers to 000000000007 is not understood; two meters may have this address"]


def test_the_question_bears_wildcards_for_the_leading_digits_and_any_answer_of_one_meter_tells_its_address() -> None:
    question = FindAddress("0107")
    own = address_bytes("000000000107")
    other = address_bytes("000000000207")

    assert question.request.hex(" ").upper().startswith("FE FE FE FE 68 07 01 AA AA AA AA 68 11 04")
    assert question.judge(encode(Frame(own, 0x91, bytes.fromhex("00000100 00000000")))) == Answered(own)
    assert question.judge(encode(Frame(own, 0xD1, b"\x02"))) == Answered(own)
    assert not isinstance(question.judge(encode(Frame(other, 0x91, bytes(8)))), Answered)
    broken = bytearray(encode(Frame(own, 0x91, bytes(8))))
    broken[-2] ^= 1
    assert isinstance(question.judge(bytes(broken)), NotTheAnswer)
    assert question.station == "meters …0107"
    assert FindAddress("000000000107").station == "meter 000000000107"


@pytest.mark.parametrize("ending", ["07", "0107", "000000000107"])
def test_its_own_echo_is_no_answer(ending: str) -> None:
    question = FindAddress(ending)

    assert not isinstance(question.judge(question.request), Answered)
