"""What a look makes of findings that are kept, without a ledger beneath."""

from __future__ import annotations

from dataclasses import replace

import pytest

from energy.findings import Finding, FindingKind
from energy.readings import Point
from gateway.findings.kept import Kept, State
from gateway.findings.looks import Look, Told
from gateway.findings.worth import Valued

DAY = 86_400_000
HALL = Point("hall", "active_energy_import")
LEAK = Finding(HALL, FindingKind.CONSTANT, 40 * DAY, 41 * DAY, True, 3.0, 2.0, 5_000_000, 20_000_000, 15_000_000)


def kept(finding: Finding, state: State = State.OPEN) -> Kept:
    return Kept(7, Valued(finding, 4_000_000, "flat"), "by hand", 0, 0, state)


def after(before: Kept, look: Look) -> Kept:
    """The finding as it is kept after a look."""
    told = Told.of({before.finding.point: [before]}, look)
    return told.changed[0] if told.changed else before


def look(*found: Finding, since: int = 20 * DAY, quiet: int = 0, away: int | None = None) -> Look:
    valued = [Valued(one, 4_000_000, "flat") for one in found]
    return Look(valued, since, "by hand", {HALL: quiet} if quiet else {}, lambda _: away)


def test_what_paused_is_open_until_a_day_was_measured_and_open_again_where_it_went_on_after_all() -> None:
    paused = replace(LEAK, ongoing=False)

    assert after(kept(LEAK), look(paused, quiet=41 * DAY - 1)).state is State.OPEN
    ended = after(kept(LEAK), look(paused, quiet=41 * DAY))
    assert (ended.state, ended.valued.cost) == (State.ENDED, 4_000_000)
    # Readings that came late.
    assert after(ended, look(replace(LEAK, end_ms=42 * DAY), quiet=41 * DAY)).state is State.OPEN


@pytest.mark.parametrize("kind", [FindingKind.FALL, FindingKind.JUMP])
def test_a_register_that_is_disputed_stays_so_until_somebody_explains_it(kind: FindingKind) -> None:
    fell = replace(LEAK, kind=kind, ongoing=False, excess=None)

    assert after(kept(fell), look(fell, quiet=50 * DAY)).state is State.OPEN
    assert after(kept(fell), look(since=45 * DAY, quiet=50 * DAY)).state is State.OPEN
    assert after(kept(fell), look()).state is State.GONE


@pytest.mark.parametrize("state", [State.OPEN, State.ENDED])
def test_what_nobody_decided_and_is_no_longer_found_is_explained_away(state: State) -> None:
    gone = after(kept(LEAK, state), look(quiet=50 * DAY))

    assert (gone.state, gone.finding.ongoing) == (State.GONE, False)


def test_what_began_before_all_that_can_be_seen_ends_by_what_is_measured_after_it() -> None:
    before = kept(LEAK)

    assert after(before, look(since=60 * DAY)) == before
    assert after(before, look(since=60 * DAY, quiet=70 * DAY)).state is State.ENDED


@pytest.mark.parametrize("state", [State.CONFIRMED, State.DISMISSED])
def test_what_was_decided_stays_so_but_goes_on_no_longer(state: State) -> None:
    told = after(kept(LEAK, state), look(quiet=41 * DAY))

    assert (told.state, told.finding.ongoing, told.valued.cost) == (state, False, 4_000_000)


def test_a_meter_that_is_taken_away_takes_its_findings_along_and_what_began_later_is_none() -> None:
    away = 40 * DAY + DAY // 2

    with_it = after(kept(LEAK), look(since=60 * DAY, away=away))
    assert (with_it.state, with_it.finding.end_ms, with_it.finding.ongoing) == (State.ENDED, away, False)
    assert after(kept(LEAK), look(away=39 * DAY)).state is State.GONE
    confirmed = after(kept(LEAK, State.CONFIRMED), look(away=away))
    assert (confirmed.state, confirmed.finding.ongoing) == (State.CONFIRMED, False)


def test_what_is_over_when_it_is_first_seen_is_told_as_ended() -> None:
    told = Told.of({}, look(replace(LEAK, ongoing=False), quiet=50 * DAY))

    assert [state for _, state in told.new] == [State.ENDED]
