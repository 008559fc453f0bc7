"""Claims: each number of a kind of work is one live process's at a time."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.claims_alone import ClaimsAlone
from adapters.claims_postgres import PostgresClaims, keeper, open_claims
from energy.errors import EnergyError, StoreError
from energy.ports import Claims
from tests.postgresql import PostgresServer
from tests.waiting import until

pytestmark = pytest.mark.by_the_clock

COUNT = 16
ALL = frozenset(range(COUNT))
_LOOK_S = 0.02


class Holder:
    """A process as the claims see it, and what it was told of its share."""

    def __init__(self, claims: Claims, *, fails: int = 0) -> None:
        self.claims, self.fails = claims, fails
        self.has: set[int] = set()
        self.told: list[str] = []

    async def gained(self, numbers: frozenset[int]) -> None:
        assert all(self.claims.held("building", n) for n in numbers) or isinstance(self.claims, ClaimsAlone)
        if self.fails:
            self.fails -= 1
            raise StoreError("not now")
        self.has |= numbers
        self.told.append("gained")

    async def lost(self, numbers: frozenset[int]) -> None:
        self.has -= numbers
        self.told.append("lost")

    def take_part(self) -> Holder:
        self.claims.take_part("building", COUNT, gained=self.gained, lost=self.lost)
        return self

    def may_work_in(self) -> frozenset[int]:
        with self.claims.work("building", ALL) as numbers:
            return numbers


@asynccontextmanager
async def alone() -> AsyncIterator[ClaimsAlone]:
    claims = ClaimsAlone("one")
    yield claims
    await claims.close()


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return postgres.address(postgres.copy("template1"))


def shares(holders: Iterable[Holder]) -> Counter[int]:
    return Counter(n for holder in holders for n in holder.may_work_in())


@pytest.mark.parametrize("kind", ["alone", "postgresql"])
async def test_a_process_without_others_holds_all_there_is(kind: str, request: pytest.FixtureRequest) -> None:
    opened = alone() if kind == "alone" else open_claims(request.getfixturevalue("database"), "one", look_s=_LOOK_S)
    async with opened as claims:
        one = Holder(claims).take_part()

        await until(lambda: one.may_work_in() == ALL)

        assert one.has == ALL
        assert all(claims.held("building", n) for n in ALL)
        assert {claims.holder("building", n) for n in ALL} == {"one"}
        assert list(claims.members("building")) == ["one"]
    assert one.has == set()
    assert one.told == ["gained", "lost"]


@pytest.mark.parametrize("kind", ["alone", "postgresql"])
async def test_what_could_not_be_taken_up_is_tried_again(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.claims_alone._AGAIN_S", _LOOK_S)
    opened = alone() if kind == "alone" else open_claims(request.getfixturevalue("database"), "one", look_s=_LOOK_S)
    async with opened as claims:
        one = Holder(claims, fails=2).take_part()

        await until(lambda: one.may_work_in() == ALL)

        assert one.fails == 0


async def test_two_processes_share_and_no_number_is_of_both(database: str) -> None:
    async with AsyncExitStack() as stack:
        both = [
            Holder(await stack.enter_async_context(open_claims(database, name, look_s=_LOOK_S))).take_part()
            for name in ("one", "two")
        ]

        await until(lambda: shares(both) == Counter(ALL) and all(holder.has for holder in both))

        assert all(holder.has == holder.may_work_in() for holder in both)
        await until(lambda: all(h.claims.holder("building", n) for h in both for n in ALL))
        for n in ALL:
            assert both[0].claims.holder("building", n) == both[1].claims.holder("building", n)


async def test_who_goes_leaves_its_share_to_the_others(database: str) -> None:
    async with open_claims(database, "one", look_s=_LOOK_S) as claims:
        one = Holder(claims).take_part()
        async with open_claims(database, "two", look_s=_LOOK_S) as others:
            two = Holder(others).take_part()
            await until(lambda: shares([one, two]) == Counter(ALL) and bool(two.has))

        await until(lambda: one.may_work_in() == ALL)


async def test_a_number_is_not_given_up_before_the_work_in_it_is_done(database: str) -> None:
    async with open_claims(database, "one", look_s=_LOOK_S) as claims:
        one = Holder(claims).take_part()
        await until(lambda: one.may_work_in() == ALL)
        async with open_claims(database, "two", look_s=_LOOK_S) as others:
            two = Holder(others).take_part()
            with claims.work("building", ALL) as at_work:
                assert at_work == ALL
                await until(lambda: len(one.may_work_in()) < COUNT)
                await asyncio.sleep(5 * _LOOK_S)

                # No new work is begun in what shall be another's, and what is begun is ours to the end.
                assert two.has == set()
                assert all(claims.held("building", n) for n in ALL)

            await until(lambda: shares([one, two]) == Counter(ALL) and bool(two.has))


async def test_nothing_is_held_from_the_moment_the_connection_is_lost(postgres: PostgresServer, database: str) -> None:
    async with open_claims(database, "one", look_s=_LOOK_S) as claims:
        one = Holder(claims).take_part()
        await until(lambda: one.may_work_in() == ALL)

        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jieneng claims'")

        await until(lambda: "lost" in one.told)
        assert one.told[:2] == ["gained", "lost"]
        await until(lambda: one.may_work_in() == ALL)
        assert one.has == ALL


async def test_what_was_not_seen_for_long_is_not_believed(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_claims(database, "one", look_s=_LOOK_S) as claims:
        one = Holder(claims).take_part()
        await until(lambda: one.may_work_in() == ALL)

        monkeypatch.setattr("adapters.claims_postgres._BELIEVED_S", -1.0)

        assert not any(claims.held("building", n) for n in ALL)
        assert one.may_work_in() == frozenset()


async def test_a_second_process_of_the_same_name_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.claims_postgres._NAME_TAKEN_S", 1.0)
    async with open_claims(database, "one", look_s=_LOOK_S):
        with pytest.raises(EnergyError, match="'one' is running already"):
            async with open_claims(database, "one", look_s=_LOOK_S):
                pass


async def test_a_name_that_could_not_stand_in_a_topic_is_refused(database: str) -> None:
    with pytest.raises(ValueError, match="process id 'a/b'"):
        async with open_claims(database, "a/b"):
            pass


async def test_a_fault_in_what_is_told_of_a_share_ends_who_opened_the_claims(database: str) -> None:
    async def gained(numbers: frozenset[int]) -> None:
        raise KeyError("a fault")

    async def process() -> None:
        async with open_claims(database, "one", look_s=_LOOK_S) as claims:
            claims.take_part("building", COUNT, gained=gained)
            await asyncio.sleep(15)

    with pytest.raises(KeyError, match="a fault"):
        await process()


_KILLED = """
import asyncio, sys
from adapters.claims_postgres import open_claims

async def main():
    async with open_claims(sys.argv[1], "two", look_s=0.02) as claims:
        claims.take_part("building", 16)
        while True:
            await asyncio.sleep(0.02)
            with claims.work("building", range(16)) as numbers:
                print(len(numbers), flush=True)

asyncio.run(main())
"""


async def test_a_killed_process_holds_nothing_any_more_and_may_come_again_under_its_name(database: str) -> None:
    async with open_claims(database, "one", look_s=_LOOK_S) as claims:
        one = Holder(claims).take_part()
        await until(lambda: one.may_work_in() == ALL)
        for _ in range(2):
            process = subprocess.Popen([sys.executable, "-c", _KILLED, database], stdout=subprocess.PIPE)
            try:
                assert process.stdout is not None
                line = b""
                while line.strip() in (b"", b"0") or not line.strip().isdigit():
                    line = await asyncio.to_thread(process.stdout.readline)
                assert one.may_work_in() != ALL
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdout.close()  # type: ignore[union-attr]

            await until(lambda: one.may_work_in() == ALL)


async def test_who_does_not_take_part_in_a_kind_of_work_gets_none_of_it(database: str) -> None:
    async with (
        open_claims(database, "one", look_s=_LOOK_S) as claims,
        open_claims(database, "two", look_s=_LOOK_S) as others,
    ):
        one = Holder(claims).take_part()
        others.take_part("desk", 1)

        await until(lambda: one.may_work_in() == ALL and others.held("desk"))

        assert others.members("desk") == ("two",)
        assert claims.members("building") == ("one",)


@given(st.sets(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=2, max_size=6))
def test_who_goes_moves_no_number_of_the_others(names: set[str]) -> None:
    members = sorted(names)
    for n in range(COUNT):
        before, after = keeper("building", n, members), keeper("building", n, members[1:])

        assert before in (members[0], after)


def test_shares_are_of_about_the_same_size() -> None:
    found = Counter(keeper("ingest", n, ("server-1", "server-2")) for n in range(64))

    assert min(found.values()) > 20


def test_the_class_fulfils_the_port() -> None:
    claims: type[Claims] = PostgresClaims

    assert claims is not None
