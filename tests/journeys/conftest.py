"""How long journeys may take, and the browser that they look through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.looking import PATIENCE_MS
from tests.real_parts import program

# Only an upper bound: cores that are busy with other things make a journey long, and not wrong.
_MAY_TAKE_S = 900

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "journeys" and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_MAY_TAKE_S))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of a module: the loop that it brings along would be in the way of asynchronous tests."""
    chromium = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_FLAGS, timeout=PATIENCE_MS)
        yield launched
        launched.close()
