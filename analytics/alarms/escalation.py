"""Who is called when, for an alarm that nobody has acknowledged: a pure function of alarm, roster and clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from energy.duty import Post, Roster
from energy.readings import from_ms


@dataclass(frozen=True, slots=True)
class Rung:
    """After so long [s] those on these posts are called."""

    after_s: float
    posts: tuple[Post, ...]

    def __post_init__(self) -> None:
        if not self.posts:
            raise ValueError("a rung calls nobody; name main, deputy or leader")


@dataclass(frozen=True, slots=True)
class Chain:
    """Rungs in the order of time; the last one is repeated every `repeat_s` [s], `times` at most."""

    rungs: tuple[Rung, ...]
    repeat_s: float | None = None
    times: int = 0

    def __post_init__(self) -> None:
        if not self.rungs:
            raise ValueError("a chain without a rung calls nobody")
        after = [rung.after_s for rung in self.rungs]
        if any(later <= earlier for earlier, later in pairwise(after)):
            raise ValueError("each rung must come later than the one before it")

    def due(self, began_ms: int, now_ms: int) -> Iterator[tuple[int, int, Rung]]:
        """The rungs reached by now: number, instant, rung."""
        for number, rung in enumerate(self._all()):
            at_ms = began_ms + round(rung.after_s * 1000)
            if at_ms > now_ms:
                return
            yield number, at_ms, rung

    def _all(self) -> Iterator[Rung]:
        yield from self.rungs
        last = self.rungs[-1]
        for time in range(1, self.times + 1 if self.repeat_s else 1):
            assert self.repeat_s is not None
            yield Rung(last.after_s + time * self.repeat_s, last.posts)


@dataclass(frozen=True, slots=True)
class Call:
    """A person to be told, on a rung; `post` is None where it is told for want of anybody on duty."""

    rung: int
    at_ms: int
    person: str
    post: Post | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is to be told by now, and on which rungs nobody could be."""

    calls: tuple[Call, ...]
    nobody: tuple[int, ...]


# The next to ask where a post is not manned.
_INSTEAD: dict[Post, Sequence[Post]] = {
    Post.MAIN: (Post.MAIN, Post.DEPUTY, Post.LEADER),
    Post.DEPUTY: (Post.DEPUTY, Post.LEADER, Post.MAIN),
    Post.LEADER: (Post.LEADER, Post.DEPUTY, Post.MAIN),
}


def plan(chain: Chain, roster: Roster, began_ms: int, now_ms: int) -> Plan:
    """All calls that are due by now, whether made or not; nobody twice on one rung.

    Who is called is who is on duty when the rung is due: after a change of shift that is the next one.
    """
    calls: list[Call] = []
    nobody: list[int] = []
    for number, at_ms, rung in chain.due(began_ms, now_ms):
        found = list(_called(number, at_ms, rung, roster))
        calls += found
        if not found:
            nobody.append(number)
    return Plan(tuple(calls), tuple(nobody))


def _called(number: int, at_ms: int, rung: Rung, roster: Roster) -> Iterator[Call]:
    told: set[str] = set()
    for post in rung.posts:
        for instead in _INSTEAD[post]:
            person = roster.on_duty(from_ms(at_ms), instead)
            if person is not None and roster.person(person) is not None:
                if person not in told:
                    told.add(person)
                    yield Call(number, at_ms, person, instead)
                break
    if not told:
        for person in dict.fromkeys(roster.otherwise):
            if roster.person(person) is not None:
                yield Call(number, at_ms, person, None)
