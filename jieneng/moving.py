"""From one set of stores to another: readings compared row by row as they are moved, records counted, the ledger made
anew and compared. What was done before a death is not done twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from adapters.addresses import shown
from adapters.clocks import SystemClock
from adapters.intake import QUARANTINE, open_intake
from adapters.stores import open_store, open_stores
from energy.errors import EnergyError, StoreError
from energy.ports import Ledger, ReadingStore, RegisterStore
from energy.readings import LAST_MS, Point, ReadingColumns, from_ms, to_ms
from gateway.records.database import Records, open_records
from gateway.records.moving import move_records, must_take_records
from jieneng.books import open_books
from jieneng.settings import Settings

Tell = Callable[[str, float], None]

# So many rows are moved at a time.
_ROWS = 250_000
_EVER = 1 << 30


@dataclass(slots=True)
class Moved:
    """What has been moved: so many points and readings."""

    points: int = 0
    readings: int = 0


@dataclass(slots=True)
class Progress:
    """How far a move has come: readings up to the point `after`, in the order of points, or all of them."""

    what: str
    moved: Moved = field(default_factory=Moved)
    after: list[str] | None = None
    all_moved: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a move came to; None where there was nothing to do. `outboxes` are those of edges of which is known what has
    come, and `refused` the readings in quarantine."""

    readings: Moved | None
    records: dict[str, int] | None
    ledger_points: int | None
    outboxes: int | None = None
    refused: int | None = None


async def move(old: Settings, new: Settings, tell: Tell) -> Result:
    """Move what lies elsewhere in the new settings; EnergyError where something is not the same there afterwards, or
    where the new stores hold something else already."""
    _must_share_data(old, new)
    readings = records = ledger = None
    if old.records_address != new.records_address:
        # Before hours are spent on readings.
        async with _records(old, new) as (source, target):
            await must_take_records(source, target)
    file = new.data / "migrate.json"
    if old.store_address != new.store_address:
        readings = await _move_readings(old, new, file, tell)
    if old.records_address != new.records_address:
        async with _records(old, new) as (source, target):
            records = await move_records(source, target, lambda name, share: tell(f"records: {name}", share))
    if old.stores != new.stores:
        ledger = await _ledger_anew(old, new, tell)
    kept = await _move_intake(old, new) if old.ledger != new.ledger else (None, None)
    file.unlink(missing_ok=True)
    return Result(readings, records, ledger, *kept)


@asynccontextmanager
async def _records(old: Settings, new: Settings) -> AsyncIterator[tuple[Records, Records]]:
    async with (
        open_records(*old.of_records) as source,
        open_records(new.records_address, new.data, old.audit_folder or _audit_of(old)) as target,
    ):
        yield source, target


def _must_share_data(old: Settings, new: Settings) -> None:
    if old.data.resolve() != new.data.resolve():
        raise EnergyError(
            f"the settings name two data folders, {old.data} and {new.data}, and keys lie there: name the same one. "
            "To go to another machine, use jieneng backup and restore first"
        )
    if old.stores == new.stores and old.records_address == new.records_address:
        raise EnergyError("both settings name the same stores and records: there is nothing to move")


def _audit_of(settings: Settings) -> Path | None:
    """Where key and head of the audit log lie, which go on to be the same."""
    kind, _, file = settings.records_address.partition(":")
    return Path(file).parent if kind == "sqlite" else settings.data


# -- readings ----------------------------------------------------------------------------------------------------------


async def _move_readings(old: Settings, new: Settings, file: Path, tell: Tell) -> Moved:
    what = f"{shown(old.store_address)} to {shown(new.store_address)}"
    async with _both_stores(old, new) as (source, target):
        points = sorted(await source.points())
        _must_hold_nothing_else(new, await target.points(), points)
        progress = _recalled(file, what)
        done = len(points) if progress.all_moved else _done(points, progress)
        if await _newest(source, points[:done]) != await _newest(target, points[:done]):
            # Somebody went on with the old store in between: what is moved already is compared once more.
            progress, done = _begun(what), 0
        for batch in await _batches(source, points[done:]):
            for part in batch:
                await _move_part(source, target, part, progress.moved)
            done += len(batch[0].points)
            progress.moved.points = done
            progress.after = list(batch[0].points[-1])
            _keep(file, progress)
            tell("readings", done / len(points))
        await target.maintain(to_ms(SystemClock().now()))
    progress.all_moved = True
    _keep(file, progress)
    return progress.moved


@asynccontextmanager
async def _both_stores(old: Settings, new: Settings) -> AsyncIterator[tuple[RegisterStore, RegisterStore]]:
    """Both, while nobody else has their ledgers open: what a gateway stored meanwhile would be left behind."""
    async with AsyncExitStack() as stack:
        if old.ledger == new.ledger and old.ledger is not None:
            source = await stack.enter_async_context(open_store(old.store_address))
        else:
            source, _ = await stack.enter_async_context(open_stores(*old.stores, alone=True))
        target, _ = await stack.enter_async_context(open_stores(*new.stores, alone=True))
        yield source, target


def _done(points: Sequence[Point], progress: Progress) -> int:
    return 0 if progress.after is None else sum(p <= Point(*progress.after) for p in points)


async def _newest(store: RegisterStore, points: Sequence[Point]) -> dict[Point, int]:
    """The newest instant of each point."""
    found = await store.latest(points)
    return {found.points[i]: t for i, t in zip(found.index.tolist(), found.taken_at_ms.tolist(), strict=True)}


def _must_hold_nothing_else(new: Settings, there: Sequence[Point], points: Sequence[Point]) -> None:
    """Of points that are moved what is there is compared; others would be taken for readings of the old store."""
    if others := sorted(set(there) - set(points)):
        raise EnergyError(
            f"the new store, {shown(new.store_address)}, holds readings of {len(others)} points that the old one does "
            f"not, such as {others[0]}: name an empty one, and see that --from and --to are not exchanged"
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """Points over a range of time that hold about as many readings as are moved at a time."""

    points: Sequence[Point]
    from_ms: int
    to_ms: int


async def _batches(source: RegisterStore, points: Sequence[Point]) -> list[list[_Part]]:
    """Points in their order: several in one part, or one in several parts where it has so many readings."""
    spans = await source.spans(points, 0)
    found: list[list[_Part]] = []
    some: list[Point] = []
    rows = 0
    columns = (c.tolist() for c in (spans.index, spans.n, spans.first_ms, spans.last_ms))
    for i, n, first_ms, last_ms in zip(*columns, strict=True):
        if some and rows + n > _ROWS:
            found.append([_Part(some, 0, LAST_MS + 1)])
            some, rows = [], 0
        if n > _ROWS:
            found.append(_slices(points[i], n, first_ms, last_ms))
        else:
            some, rows = [*some, points[i]], rows + n
    return [*found, [_Part(some, 0, LAST_MS + 1)]] if some else found


def _slices(point: Point, n: int, first_ms: int, last_ms: int) -> list[_Part]:
    edges = np.linspace(first_ms, last_ms + 1, -(-n // _ROWS) + 1).astype(np.int64).tolist()
    # What the new store may hold before and after is compared too.
    edges[0], edges[-1] = 0, LAST_MS + 1
    return [_Part([point], low, high) for low, high in pairwise(edges)]


async def _move_part(source: ReadingStore, target: ReadingStore, part: _Part, moved: Moved) -> None:
    """Write what is there, and read it back: it must be the same, bit by bit."""
    rows = await source.readings(part.points, part.from_ms, part.to_ms)
    written = await target.write(rows)
    for row, why in written.refused[:1]:
        raise StoreError(
            f"the new store refuses {len(written.refused)} readings, the first of "
            f"{rows.points[rows.index[row]]} at {from_ms(int(rows.taken_at_ms[row]))}: {why}"
        )
    back = await target.readings(part.points, part.from_ms, part.to_ms)
    if not _same(rows, back):
        raise StoreError(
            f"the readings from {part.points[0]} to {part.points[-1]} are not the same in the new store, which held "
            "others before: name an empty one"
        )
    moved.readings += len(rows)


def _same(one: ReadingColumns, other: ReadingColumns) -> bool:
    columns = [(getattr(one, n), getattr(other, n)) for n in ("taken_at_ms", "quality", "reason")]
    named = [[c.points[i] for i in np.unique(c.index).tolist()] for c in (one, other)]
    return (
        len(one) == len(other)
        and named[0] == named[1]
        and all(np.array_equal(a, b) for a, b in columns)
        and np.array_equal(one.value, other.value, equal_nan=True)
    )


async def _move_intake(old: Settings, new: Settings) -> tuple[int, int]:
    """What has come of each outbox, and the quarantine: as a whole, in place of what was there."""
    async with (
        open_intake(old.ledger, old.data / QUARANTINE) as source,
        open_intake(new.ledger, new.data / QUARANTINE) as target,
    ):
        await target.adopt(source, anew=True)
        outboxes, refused = await target.deliveries.outboxes(), await target.quarantine.counts()
        if outboxes != await source.deliveries.outboxes() or refused != await source.quarantine.counts():
            raise StoreError("deliveries and quarantine are not the same where they were moved to")
    return len(outboxes), sum(refused.values())


# -- the ledger --------------------------------------------------------------------------------------------------------


async def _ledger_anew(old: Settings, new: Settings, tell: Tell) -> int:
    """Make the ledger over the new stores, and hold each counter's total against the old one."""
    async with open_books(old) as books:
        await books.catch_up()
        before = await _totals(books.ledger)
    async with open_books(new) as books:
        await books.catch_up(lambda share: tell("ledger", share))
        after = await _totals(books.ledger)
    if differing := [str(p) for p in before if before[p] != after.get(p)]:
        raise EnergyError(
            f"the ledger over the new stores says otherwise of {len(differing)} counters: {', '.join(differing[:5])}"
        )
    return len(after)


async def _totals(ledger: Ledger) -> dict[Point, tuple[int, int]]:
    """Amount and hours of each point that has any."""
    sums = await ledger.totals(range(len(ledger.points)), 0, _EVER)
    rows = zip(sums.of.tolist(), sums.amount.tolist(), sums.rows.tolist(), strict=True)
    return {ledger.points[number]: (amount, hours) for number, amount, hours in rows}


# -- progress ----------------------------------------------------------------------------------------------------------


def _begun(what: str) -> Progress:
    return Progress(hashlib.sha256(what.encode()).hexdigest())


def _recalled(file: Path, what: str) -> Progress:
    """How far it had come; nothing is done yet where another move was under way."""
    key = _begun(what).what
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Progress(key)
    if content.get("what") != key:
        return Progress(key)
    moved = Moved(content["moved"]["points"], content["moved"]["readings"])
    return Progress(key, moved, content["after"], content.get("all_moved", False))


def _keep(file: Path, progress: Progress) -> None:
    """What is noted is done: written beside, then put in its place."""
    fresh = file.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as out:
        json.dump(asdict(progress), out)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
