"""Which mapping takes a message of others, and what is subscribed to for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from adapters.mapping_files import JsonWords, MappingFile, SparkplugWords
from adapters.payload_paths import TopicPattern
from energy.ports import Message
from gateway.foreign.json_rows import JsonRows
from gateway.foreign.taken import Gathering, Taken
from gateway.ingest.reasons import BROKEN_PAYLOAD

log = structlog.get_logger()

_REMEMBERED, _LONGEST = 100_000, 512


class Taker(Protocol):
    """Takes the messages of one mapping."""

    def take(self, message: Message, names: Mapping[str, str], now_ms: int) -> Taken: ...


class Foreign:
    """All mappings of a gateway; `host` is the name that it has among nodes of Sparkplug, if it has one."""

    def __init__(self, mappings: Sequence[MappingFile] = ()) -> None:
        self._takers: list[tuple[TopicPattern, str, Taker]] = [
            (pattern, mapping.id, taker)
            for mapping in mappings
            for taker in [_taker(mapping)]
            for pattern in mapping.patterns
        ]
        self._by_topic: dict[str, tuple[str, Taker, Mapping[str, str]] | None] = {}
        hosts = [m.words.host for m in mappings if isinstance(m.words, SparkplugWords) and m.words.host is not None]
        self.host = hosts[0] if hosts else None

    @property
    def subscriptions(self) -> list[str]:
        """What the broker is asked for."""
        return [pattern.subscription for pattern, _, _ in self._takers]

    def take(self, message: Message, now_ms: int) -> Taken | None:
        """What a message brings; None where no mapping is for its topic."""
        found = self._found(message.topic)
        if found is None:
            return None
        mapping, taker, names = found
        try:
            return taker.take(message, names, now_ms)
        except Exception as error:
            # It would come again for ever.
            log.exception("mapping.failed", mapping=mapping, topic=message.topic[:200])
            gathering = Gathering(f"mapping/{mapping}", now_ms)
            gathering.refuse(BROKEN_PAYLOAD, f"{type(error).__name__}: {error}")
            return gathering.taken

    def _found(self, topic: str) -> tuple[str, Taker, Mapping[str, str]] | None:
        if topic in self._by_topic:
            return self._by_topic[topic]
        found = self._looked_for(topic)
        if len(topic) <= _LONGEST:
            if len(self._by_topic) >= _REMEMBERED:
                self._by_topic.clear()
            self._by_topic[topic] = found
        return found

    def _looked_for(self, topic: str) -> tuple[str, Taker, Mapping[str, str]] | None:
        for pattern, mapping, taker in self._takers:
            if (names := pattern.match(topic)) is not None:
                return mapping, taker, names
        return None


def _taker(mapping: MappingFile) -> Taker:
    words = mapping.words
    if isinstance(words, JsonWords):
        return JsonRows(words)
    from gateway.foreign.sparkplug import Sparkplug

    return Sparkplug(words)
