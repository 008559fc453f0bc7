"""People at their browsers, who wait as long as it takes."""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

# An upper bound alone: cores that are busy with other things make a journey long, and not wrong.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)

# `make journeys-slow`: each answer comes that much later, and the page computes at a quarter of its pace.
_SLOW_MS = int(os.environ.get("JIENENG_SLOW_WIRE_MS", "0"))
_SLOW_CORE = 4


def at_browser(browser: Browser, **given: Any) -> BrowserContext:
    """A browser of somebody."""
    context = browser.new_context(**given)
    context.set_default_timeout(PATIENCE_MS)
    return context


def page_of(context: BrowserContext) -> Page:
    """A page of theirs: behind a long wire where the environment asks for it."""
    page = context.new_page()
    if _SLOW_MS:
        session = context.new_cdp_session(page)
        wire = {"offline": False, "latency": _SLOW_MS, "downloadThroughput": -1, "uploadThroughput": -1}
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", wire)
        session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOW_CORE})
    return page


def enter_on(button: Locator) -> None:
    """Enter on a button, as who waits for it: a key is told to no button that cannot be pressed yet."""
    expect(button).to_be_enabled()
    button.press("Enter")
