"""Two of each role over Mosquitto, PostgreSQL and VictoriaMetrics, and each of them killed while edges send."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.journeys.campus import get, until
from tests.journeys.several import Installation, Listener, Sender, installation, listening, meters_of, sending

_HOUR_MS = 3_600_000
# Of a machine that has much else to do; it mostly takes two or three seconds.
_TAKEN_OVER_S = 240.0


@pytest.mark.timeout(900)
def test_each_process_is_killed_and_nothing_is_lost_double_or_unheard(tmp_path: Path) -> None:
    with installation(tmp_path) as there:
        for name, roles in (("one", "ingest,jobs"), ("two", "ingest,jobs"), ("api-1", "api"), ("api-2", "api")):
            there.start(name, roles)
        there.await_all()
        with listening(there.ports["api-1"], there.ports["api-2"]) as listeners:
            until(lambda: all(one.connections for one in listeners), "listeners")
            with sending(there.broker) as senders:
                until(lambda: all(len(one.answered) > 5 for one in senders), f"answers; see {tmp_path}")
                all_are_told_at_every_process(there)
                the_work_of_who_dies_goes_on(there, senders)
                an_api_process_dies_and_comes_back(there, listeners[0])
                the_other_one_ends_as_it_should(there, senders)
                nothing_is_lost(there, senders)
            every_live_reading_was_heard(senders, listeners)
            both_answer_alike(there, senders)


def all_are_told_at_every_process(there: Installation) -> None:
    for port in there.ports.values():
        until(partial(tells_of_all, there, port), f"all at {port}; see {there.folder}")


def tells_of_all(there: Installation, port: int) -> bool:
    return states(port) == dict.fromkeys(there.ports, "running")


def the_work_of_who_dies_goes_on(there: Installation, senders: Sequence[Sender]) -> None:
    there.kill("one")
    taken_over(senders)
    port = there.ports["api-2"]
    until(lambda: ("process.gone", "one") in problems(port), "the one that is gone")
    until(lambda: states(port)["one"] == "gone", "its state")
    there.again("one")
    until(lambda: states(port)["one"] == "running", "the one that is back", within_s=_TAKEN_OVER_S)
    until(lambda: problems(port) == [], "peace")


def an_api_process_dies_and_comes_back(there: Installation, listener: Listener) -> None:
    before = listener.connections
    there.kill("api-1")
    there.again("api-1")
    until(lambda: listener.connections > before and listener.hears, "a listener that came back")


def the_other_one_ends_as_it_should(there: Installation, senders: Sequence[Sender]) -> None:
    assert there.end("two") == 0
    taken_over(senders)
    # Who says good-bye is missed by nobody.
    port = there.ports["api-2"]
    until(lambda: "two" not in states(port), "the good-bye")
    until(lambda: problems(port) == [], "peace")


def nothing_is_lost(there: Installation, senders: Sequence[Sender]) -> None:
    for sender in senders:
        sender.read_no_more()
    until(lambda: all(one.is_answered for one in senders), f"all answers; see {there.folder}", within_s=_TAKEN_OVER_S)
    refused = get(there.ports["api-2"], "/health")["refused"]
    # Sent again since it was not answered: found to be there.
    assert set(refused) <= {"duplicate"}


def every_live_reading_was_heard(senders: Sequence[Sender], listeners: Sequence[Listener]) -> None:
    """By who was never cut off all; by who came back all that was sent since then."""
    sent = set().union(*(one.readings for one in senders))
    back, always = listeners
    until(lambda: always.heard.keys() >= sent, f"{len(sent)} readings, of which {len(always.heard)} were heard")
    assert always.heard.keys() == sent
    assert always.connections == 1
    since = {(meter, t_ms) for meter, t_ms in sent if t_ms > back.hears_since_ms}
    assert since
    assert since <= back.heard.keys()


def both_answer_alike(there: Installation, senders: Sequence[Sender]) -> None:
    """Curve, newest value and ledger, of the process that was always there and of the one that was started anew."""
    for number, sender in enumerate(senders):
        sent = sorted({t_ms for _, t_ms in sender.readings})
        for meter in meters_of(number):
            for port in (there.ports["api-1"], there.ports["api-2"]):
                until(partial(is_there, port, meter, sent), f"all of {meter}")
                until(partial(is_booked, port, meter, sent), f"{meter} in the ledger", within_s=_TAKEN_OVER_S)


# -- what is asked ----------------------------------------------------------------------------------------------------


def states(port: int) -> dict[str, str]:
    answer = get(port, "/health")
    return {one["process"]: one["state"] for one in answer["processes"]} if answer else {}


def problems(port: int) -> list[tuple[str, str]]:
    """What is wrong, by kind and subject."""
    answer = get(port, "/health")
    return [(p["kind"], p["subject"]) for p in answer["problems"]] if answer else [("unreachable", "")]


def taken_over(senders: Sequence[Sender]) -> None:
    """Whatever has been sent by now is answered."""
    now = [(one, max(one.sent)) for one in senders]
    until(
        lambda: all(one.answered >= set(range(1, last + 1)) for one, last in now),
        "answers of who took over",
        within_s=_TAKEN_OVER_S,
    )


def curve(port: int, meter: str, sent: Sequence[int]) -> list[int]:
    span = f"from={sent[0]}&to={sent[-1] + 1}&points=10000"
    (found,) = get(port, f"/api/v1/series?point={meter}:active_power&{span}")["series"]
    return [t_ms for t_ms, value in zip(found["t"], found["mean"], strict=True) if value is not None]


def newest(port: int, meter: str) -> tuple[int, float]:
    (found,) = get(port, f"/api/v1/latest?point={meter}:active_energy_import")["latest"]
    return found["taken_at"], found["value"]


def is_there(port: int, meter: str, sent: Sequence[int]) -> bool:
    """Whether curve and newest value are what was sent; one may be asked while the store still shows less."""
    return curve(port, meter, sent) == sent and newest(port, meter) == (sent[-1], 0.5 * len(sent))


def is_booked(port: int, meter: str, sent: Sequence[int]) -> bool:
    """Whether the ledger has what flowed, half a kWh from each batch to the next, and nothing else."""
    first, last = sent[0] // _HOUR_MS * _HOUR_MS, (sent[-1] // _HOUR_MS + 1) * _HOUR_MS
    span = f"from={first}&to={last}&by=hour&compare=false"
    answer = get(port, f"/api/v1/consumption?of={meter}:active_energy_import&{span}")
    flowed = [medium["total"]["value"] or 0.0 for medium in answer["media"]] if answer else []
    return round(sum(flowed), 6) == 0.5 * (len(sent) - 1)
