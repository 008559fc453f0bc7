"""A copy of the store in a folder of the gateway's own: one at a time, kept until it is fetched or the next is made."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from energy.errors import StoreError
from energy.ports import Clock, ReadingStore
from energy.readings import to_ms
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.backups.words import CopyAnswer

if TYPE_CHECKING:
    from adapters.copy_duckdb import DuckDBCopy

log = structlog.get_logger()

# The folder of copies, beside the store.
COPIES = ".store-copy"

_BUSY = TextWords("正在备份，请稍候", "A backup is being made; wait for it")
_FULL = TextWords("磁盘空间不足，无法备份", "There is not enough room on the disk for a backup")
# So much stays free for what is stored meanwhile.
_SPARE_BYTES = 256_000_000
_NONE = TextWords("没有正在进行的备份", "No backup is being made")


@dataclass(slots=True)
class _Making:
    """A copy that is made or was made."""

    id: str
    at_ms: int
    copy: DuckDBCopy
    task: asyncio.Task[None]


class StoreCopies:
    """Makes them. folder : holds nothing else, and is emptied before each copy. source : the file of the store."""

    def __init__(self, store: ReadingStore, folder: Path, clock: Clock, source: Path | None = None) -> None:
        self._store, self._folder, self._clock, self._source = store, folder, clock, source
        self._making: _Making | None = None

    def begin(self) -> CopyAnswer:
        """Begin a copy; RequestError where another is being made."""
        from adapters.copy_duckdb import copy_of

        if self._making is not None and not self._making.task.done():
            raise RequestError("a copy of the store is being made already; wait for it", 409, _BUSY)
        self._making = None
        self.clear()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._must_have_room()
        name = secrets.token_hex(8)
        copy = copy_of(self._store, (self._folder / f"{name}.duckdb").resolve())
        self._making = _Making(name, to_ms(self._clock.now()), copy, asyncio.create_task(self._run(copy)))
        log.info("backup.begun", copy=name)
        return self.state()

    def state(self) -> CopyAnswer:
        """The copy that was begun last; RequestError where none was."""
        made = self._making
        if made is None:
            raise RequestError("no copy of the store was begun", 404, _NONE)
        told = CopyAnswer(made.id, made.at_ms, "copying", str(made.copy.to), self._share(made.copy.to))
        if not made.task.done():
            return told
        if made.task.cancelled():
            told.state, told.cause = "failed", "the gateway was stopped"
        elif (error := made.task.exception()) is not None:
            told.state, told.cause = "failed", str(error)
        else:
            told.state, told.share = "ready", 1.0
        return told

    def _must_have_room(self) -> None:
        """RequestError where the copy would fill the disk, and nothing could be stored any more."""
        size = self._source.stat().st_size if self._source is not None else 0
        free = shutil.disk_usage(self._folder).free
        if free < size + _SPARE_BYTES:
            raise RequestError(
                f"{self._folder}: the store takes {size / 1e6:,.0f} MB, and its copy as much; {free / 1e6:,.0f} MB are "
                f"free, of which {_SPARE_BYTES / 1e6:,.0f} MB are kept for readings. Make room",
                409,
                _FULL,
            )

    def _share(self, file: Path) -> float:
        try:
            return min(0.99, file.stat().st_size / self._source.stat().st_size) if self._source is not None else 0.0
        except (OSError, ZeroDivisionError):
            return 0.0

    async def _run(self, copy: DuckDBCopy) -> None:
        await copy.run()

    def clear(self) -> None:
        """Take away what was not fetched."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def close(self) -> None:
        """Stop the copy that is being made, and take away what there is."""
        if self._making is not None and not self._making.task.done():
            self._making.copy.stop()
            try:
                await self._making.task
            except StoreError as error:
                log.warning("backup.stopped", cause=str(error))
        self.clear()
