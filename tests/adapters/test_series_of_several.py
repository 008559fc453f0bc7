"""A server of series that several processes write to, each of some meters: what each must know, and need not ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters.series_store
from adapters.batches import Deduplicated
from adapters.readings_victoria import VictoriaReadings, open_victoria
from adapters.series_store import Rows, SeriesStore
from energy.errors import StoreError
from energy.ports import Written
from energy.readings import Point
from tests.adapters.reading_stores import OTHER, POWER, columns, good, rows_of
from tests.victoria import VictoriaServer, victoria_server


@pytest.fixture(scope="module")
def server() -> Iterator[VictoriaServer]:
    with victoria_server() as started:
        yield started


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the server is asked for rows."""
    count: list[int] = []
    shown = VictoriaReadings._shown

    async def counted(self: VictoriaReadings, points: list[Point], from_ms: int, to_ms: int) -> dict[Point, Rows]:
        count.append(len(points))
        return await shown(self, points, from_ms, to_ms)

    monkeypatch.setattr(VictoriaReadings, "_shown", counted)
    return count


async def test_who_takes_meters_over_knows_what_the_one_before_wrote(server: VictoriaServer, tmp_path: Path) -> None:
    name = server.new_name()
    async with (
        open_victoria(server.address(tmp_path / "one", name)) as one,
        open_victoria(server.address(tmp_path / "two", name)) as two,
    ):
        await one.write(columns([good(POWER, 1000, 1.0), good(OTHER, 1000, 1.0)]))
        await two.learn([POWER.meter, OTHER.meter])

        assert await two.write(columns([good(POWER, 1000, 2.0), good(OTHER, 1000, 1.0)])) == Written(0, 1, [0])
        assert rows_of(await two.latest([POWER])) == [good(POWER, 1000, 1.0)]


async def test_rows_in_another_order_are_not_asked_for_while_what_was_written_is_remembered(
    server: VictoriaServer, tmp_path: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_victoria(server.address(tmp_path / "journal")) as store:
        await store.write(columns([good(POWER, 1000, 1.0), good(POWER, 3000, 3.0)]))

        late = [good(POWER, 2000, 2.0), good(POWER, 1000, 9.0), good(POWER, 3000, 3.0)]
        assert await store.write(columns(late)) == Written(1, 1, [1])
        assert asked == []

        monkeypatch.setattr(adapters.series_store, "_LATELY_S", -1.0)
        await store.write(columns([good(OTHER, 1, 1.0)]))
        assert await store.write(columns([good(POWER, 2000, 8.0), good(POWER, 2500, 2.5)])) == Written(1, 0, [0])
        assert asked == [1]


async def test_what_may_not_have_arrived_is_asked_for(
    server: VictoriaServer, tmp_path: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_victoria(server.address(tmp_path / "journal")) as store:

        async def unanswered(_: bytes) -> None:
            raise StoreError("no answer")

        with monkeypatch.context() as patched:
            patched.setattr(store._client, "put", unanswered)
            with pytest.raises(StoreError):
                await store.write(columns([good(POWER, 1000, 1.0)]))
        asked.clear()

        assert (await store.write(columns([good(POWER, 1000, 1.0)]))).refused == []
        assert rows_of(await store.readings([POWER], 0, 10_000)) == [good(POWER, 1000, 1.0)]
        assert asked


class _Remembering(SeriesStore):
    """A server that shows all at once, and counts what is there twice."""

    def __init__(self) -> None:
        super().__init__()
        self.there: dict[tuple[Point, int], float] = {}
        self.twice = 0

    async def _put(self, fresh: Deduplicated) -> dict[int, str]:
        for number, t_ms, value in zip(
            fresh.point.tolist(), fresh.taken_at_ms.tolist(), fresh.value.tolist(), strict=True
        ):
            self.twice += (self._points[number], t_ms) in self.there
            self.there[self._points[number], t_ms] = value
        return {}

    async def _rows(self, points: object, from_ms: int, to_ms: int) -> dict[Point, Rows]:
        raise AssertionError("nothing that is remembered is asked for")

    async def learn(self, meters: object) -> None:
        pass


_batches = st.lists(
    st.lists(st.tuples(st.sampled_from([POWER, OTHER]), st.integers(1, 12), st.integers(1, 3)), min_size=1, max_size=8),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(_batches)
async def test_in_whatever_order_rows_come_the_first_value_of_an_instant_stays(
    batches: list[list[tuple[Point, int, int]]],
) -> None:
    store, first = _Remembering(), dict[tuple[Point, int], float]()
    for batch in batches:
        written = await store.write(columns([good(point, t, float(value)) for point, t, value in batch]))
        conflicting = []
        for i, (point, t, value) in enumerate(batch):
            if first.setdefault((point, t), float(value)) != value:
                conflicting.append(i)
        assert written.conflicting == conflicting

    assert store.there == first
    assert store.twice == 0
