"""A certificate that ends soon is told while it still holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from adapters.clocks import SteppedClock
from adapters.edge_identities import Identities
from gateway.edges.expiry import Expiries

BEGAN = datetime(2026, 11, 21, tzinfo=UTC)
DAY_S = 86_400.0


async def test_thirty_days_before_its_end_a_certificate_is_a_problem_that_says_what_to_do(tmp_path: Path) -> None:
    clock = SteppedClock(BEGAN)
    known = Identities(tmp_path / "identities", clock.now)
    known.enroll("north", tmp_path / "north", "mqtts://broker:8883", by="li", days=100)
    known.enroll("gone", tmp_path / "gone", "mqtts://broker:8883", by="li", days=100)
    known.revoke("gone", by="li")
    expiries = Expiries(known.folder, clock)
    assert expiries.problems() == []

    await clock.step(71 * DAY_S)
    (found,) = expiries.problems()
    assert (found.kind, found.subject) == ("identity.expiring", "north")
    assert found.text.en == (
        "The certificate of edge north ends on 2027-03-01; "
        "run `jieneng edge enroll --renew north` and carry the folder there"
    )

    known.renew("north", tmp_path / "again", "mqtts://broker:8883", by="li")
    await clock.step(DAY_S)
    assert expiries.problems() == []


async def test_what_has_ended_is_told_as_ended_and_the_machine_s_own_beside_it(tmp_path: Path) -> None:
    clock = SteppedClock(BEGAN)
    known = Identities(tmp_path / "identities", clock.now)
    known.ensure_own(["edge"])
    await clock.step(731 * DAY_S)

    found = {one.subject: one.text.en for one in Expiries(known.folder, clock).problems()}
    assert set(found) == {"broker", "edge", "jieneng-gateway"}
    assert found["broker"].startswith("The certificate of the broker ended on 2028-11-20; it is made anew")


def test_where_nobody_is_enrolled_there_is_nothing_to_tell(tmp_path: Path) -> None:
    clock = SteppedClock(BEGAN)

    assert Expiries(None, clock).problems() == []
    assert Expiries(tmp_path / "none", clock).problems() == []
