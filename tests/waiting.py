"""Waiting for what must come. How long is an upper bound alone: a busy machine makes a test long, and not wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 240


async def until(ready: Callable[[], object], what: str = "what is waited for") -> None:
    """Wait in a loop for something to be so."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not ready():
                await asyncio.sleep(0.01)
    except TimeoutError as error:
        raise AssertionError(f"{what} did not come within {PATIENCE_S} s") from error
