"""A program that fetches /metrics from another machine by a token of its own, and can do nothing else with it."""

from __future__ import annotations

import hmac

from aiohttp import web


class Scraper:
    """Knows it by a token that no account has; None where there is none."""

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()

    def comes_with(self, request: web.Request) -> bool:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(shown.strip().encode(), self._token)
