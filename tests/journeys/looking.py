"""People at their browsers, who wait as long as it takes."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, expect

# An upper bound alone: cores that are busy with other things make a journey long, and not wrong.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)


def at_browser(browser: Browser, **given: Any) -> BrowserContext:
    """A browser of somebody."""
    context = browser.new_context(**given)
    context.set_default_timeout(PATIENCE_MS)
    return context
