"""What the page on MQTT says of the wire is what the gateway does."""

from __future__ import annotations

import json
import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import paho.mqtt.client as paho
import pytest

from adapters.clocks import SteppedClock
from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.site_files import read_site
from adapters.site_signing import CHECKING_KEY, read_checking_key
from adapters.site_versions import opened
from adapters.wire import READINGS, Cause, decode_state, decode_stored, decode_wanted, topic
from energy.ports import Message
from energy.readings import Reason
from energy.senders import Senders, senders
from gateway.ingest import reasons as words
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import Judge, Judged
from gateway.metrics import Metrics
from tests.docs.pages import ROOT, block, blocks

PAGE = ROOT / "docs" / "mqtt.md"
TEXT = PAGE.read_text(encoding="utf-8")
NOW_MS = 1_795_235_084_084  # 2026-11-21
REFUSED = [(b.info.removeprefix("json refused: "), b.text) for b in blocks(PAGE) if b.info.startswith("json refused: ")]
REASONS = [
    words.BROKEN_PAYLOAD,
    words.TOO_LARGE,
    words.UNKNOWN_TOPIC,
    words.MISTYPED,
    words.NOT_BORN,
    words.BROKEN_TIME,
    words.UNKNOWN_METER,
    words.ANOTHER_EDGE,
    words.UNKNOWN_QUANTITY,
    words.NO_VALUE,
    words.IMPLAUSIBLE,
    words.FUTURE,
    words.TOO_EARLY,
    words.CONFLICT,
    words.REFUSED,
    words.DUPLICATE,
]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    file = tmp_path / "site.yaml"
    file.write_text(block(PAGE, "yaml mqtt site"), encoding="utf-8")
    site, _ = read_site(file)
    return Judge(site.meters, Senders(senders(site)))


def judged(judge: Judge, payload: str, of_topic: str = topic("stranger", READINGS), now_ms: int = NOW_MS) -> Judged:
    return judge.judge([Message(of_topic, payload.encode())], now_ms)


@pytest.mark.parametrize("example", [b.text for b in blocks(PAGE, "json readings")])
def test_a_batch_that_is_shown_is_accepted_whole(judge: Judge, example: str) -> None:
    found = judged(judge, example)
    values = [value for readings in json.loads(example)["readings"] for value in readings["values"]]

    assert found.refusals == []
    assert len(found.columns) == len(values)


@pytest.mark.parametrize(("reason", "example"), REFUSED)
def test_a_batch_that_is_said_to_be_refused_is(judge: Judge, reason: str, example: str) -> None:
    found = judged(judge, example)

    assert [r.reason for r in found.refusals] == [reason]
    assert len(found.columns) == 0


def test_every_reason_of_refusal_and_of_doubt_is_told() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")

    assert [r for r in REASONS if f"| `{r}` |" not in TEXT] == []
    assert [r.value for r in Reason if r and f"| `{r.value}` |" not in glossary] == []


def test_the_answer_that_is_shown_is_that_to_the_batch_that_is_shown(judge: Judge) -> None:
    answer = decode_stored(block(PAGE, "json stored"))
    found = [judged(judge, b.text) for b in blocks(PAGE, "json readings")]

    assert [f.answers for f in found] == [{}, {"stranger": {answer.boot: answer.sequences}}, {}]
    assert found[1].batches[0][1].outbox == answer.outbox


async def test_what_is_asked_for_and_what_is_said_to_be_lost_are_understood(judge: Judge) -> None:
    wanted = decode_wanted(block(PAGE, "json wanted"))
    first, lost = (judged(judge, b.text).batches for b in blocks(PAGE, "json readings")[1:])
    deliveries = Deliveries(SqliteDeliveries(":memory:"), SteppedClock(datetime.now(UTC)), Metrics())
    await deliveries.take(first)
    await deliveries.take(lost)

    assert [(loss.first, loss.last) for loss in reversed(deliveries.losses)] == wanted.ranges
    assert [f"| `{cause}` |" in TEXT for cause in get_args(Cause)] == [True] * len(get_args(Cause))


def test_birth_and_will_that_are_shown_are_understood() -> None:
    birth, will = (decode_state(b.text) for b in blocks(PAGE, "json state"))

    assert (birth.state, will.state) == ("online", "offline")
    assert birth.meters["canteen-water"].state == "silent"
    assert birth.site is not None
    assert "did you mean 'unit'?" in birth.site.refused


def test_the_site_file_that_is_shown_is_signed_by_the_key_that_is_shown_and_is_read(tmp_path: Path) -> None:
    (tmp_path / CHECKING_KEY).write_text(block(PAGE, "text site key"))
    version = opened(block(PAGE, "json site").encode(), read_checking_key(tmp_path), "north")
    file = tmp_path / "site.yaml"
    file.write_text(version.site, encoding="utf-8")

    assert f'"{version.name}"' in blocks(PAGE, "json state")[0].text
    assert [m.id for m in read_site(file)[0].meters] == ["canteen-main"]
    content = json.loads(json.loads(block(PAGE, "json site"))["content"])
    assert [key for key in content if f"\n| `{key}` |" not in TEXT] == []


def test_what_mosquitto_pub_is_told_to_publish_is_accepted(judge: Judge) -> None:
    arguments = shlex.split(block(PAGE, "sh mosquitto_pub").replace("\\\n", " "))
    found = judged(judge, arguments[arguments.index("-m") + 1], arguments[arguments.index("-t") + 1])

    assert found.refusals == []
    assert found.columns.value.tolist() == [18425.5]


def test_what_the_python_example_publishes_is_accepted(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "water-system").mkdir()
    (tmp_path / "water-system" / "password").write_text("secret")
    monkeypatch.chdir(tmp_path)
    sent: list[tuple[str, str]] = []

    class Recording(paho.Client):
        def connect(self, *_: Any, **__: Any) -> Any: ...
        def loop_start(self) -> Any: ...
        def publish(self, topic: str, payload: Any = None, qos: int = 0, *_: Any, **__: Any) -> Any:
            assert qos == 1
            sent.append((topic, payload))

    monkeypatch.setattr(paho, "Client", Recording)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    ran: dict[str, Any] = {}
    exec(compile(block(PAGE, "python paho"), str(PAGE), "exec"), ran)

    assert (ran["client"].username, ran["client"].password) == ("water-system", "secret")
    found = [judged(judge, payload, of_topic, int(time.time() * 1000)) for of_topic, payload in sent]
    assert [f.refusals for f in found] == [[], [], []]
    assert [next(iter(f.answers["water-system"].values())) for f in found] == [[1], [2], [3]]
