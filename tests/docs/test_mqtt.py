"""What the page on MQTT says of the wire is what the gateway does."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from adapters.site_files import read_site
from adapters.wire import READINGS, decode_state, decode_stored, topic
from energy.ports import Message
from energy.readings import Reason
from gateway.ingest import judge as words
from gateway.ingest.judge import Judge, Judged
from tests.docs.pages import ROOT, block, blocks

PAGE = ROOT / "docs" / "mqtt.md"
TEXT = PAGE.read_text(encoding="utf-8")
NOW_MS = 1_795_235_084_084  # 2026-11-21
REFUSED = [(b.info.removeprefix("json refused: "), b.text) for b in blocks(PAGE) if b.info.startswith("json refused: ")]
REASONS = [
    words.BROKEN_PAYLOAD,
    words.BROKEN_TIME,
    words.UNKNOWN_METER,
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
    return Judge(read_site(file)[0].meters)


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
    found = [judged(judge, b.text).answers for b in blocks(PAGE, "json readings")]

    assert found == [{}, {"stranger": {answer.boot: answer.sequences}}]


def test_birth_and_will_that_are_shown_are_understood() -> None:
    birth, will = (decode_state(b.text) for b in blocks(PAGE, "json state"))

    assert (birth.state, will.state) == ("online", "offline")
    assert birth.meters["canteen-water"].state == "silent"


def test_what_mosquitto_pub_is_told_to_publish_is_accepted(judge: Judge) -> None:
    arguments = shlex.split(block(PAGE, "sh mosquitto_pub").replace("\\\n", " "))
    found = judged(judge, arguments[arguments.index("-m") + 1], arguments[arguments.index("-t") + 1])

    assert found.refusals == []
    assert found.columns.value.tolist() == [18425.5]


def test_what_the_python_example_publishes_is_accepted(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []

    class Recording(paho.Client):
        def connect(self, *_: Any, **__: Any) -> Any: ...
        def loop_start(self) -> Any: ...
        def publish(self, topic: str, payload: Any = None, qos: int = 0, *_: Any, **__: Any) -> Any:
            assert qos == 1
            sent.append((topic, payload))

    monkeypatch.setattr(paho, "Client", Recording)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    exec(compile(block(PAGE, "python paho"), str(PAGE), "exec"), {})

    found = [judged(judge, payload, of_topic, int(time.time() * 1000)) for of_topic, payload in sent]
    assert [f.refusals for f in found] == [[], [], []]
    assert [next(iter(f.answers["water-system"].values())) for f in found] == [[1], [2], [3]]
