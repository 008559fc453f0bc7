"""A bus on a thread of its own, for those that ask without a loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from collectors.simulators.bus.hosts import Host, precise_loop

H = TypeVar("H", bound=Host)


@contextmanager
def beside(host: H) -> Iterator[H]:
    """The host, open while the block runs; what fails to open is raised here."""
    opened, done = threading.Event(), asyncio.Event()
    loop = precise_loop()
    failed: list[BaseException] = []

    async def serve() -> None:
        try:
            async with host:
                opened.set()
                await done.wait()
        except BaseException as error:  # noqa: BLE001 - told where it was asked for
            failed.append(error)
        finally:
            opened.set()

    def work() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=work, name=f"bus {type(host).__name__}", daemon=True)
    thread.start()
    opened.wait()
    try:
        if failed:
            raise failed[0]
        yield host
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(done.set)
        thread.join()
