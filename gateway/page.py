"""The page: files that web/ has built into `static/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from gateway.access.door import marked
from gateway.access.roles import Permission

STATIC = Path(__file__).parent / "static"

_NOT_BUILT = "The page is not built. Run `make web` in the checkout, or install the wheel.\n"


def add_page(app: web.Application) -> None:
    """Serve the page at the root."""

    async def index(_request: web.Request) -> web.StreamResponse:
        if not (STATIC / "index.html").is_file():
            return web.Response(text=_NOT_BUILT, status=503)
        return web.FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    app.router.add_get("/", marked(Permission.OPEN, index))
    if (STATIC / "assets").is_dir():
        app.router.add_static("/assets/", STATIC / "assets")
    for file in STATIC.glob("*.*"):
        if file.name != "index.html":
            app.router.add_get(f"/{file.name}", marked(Permission.OPEN, _serving(file)))
    app.on_response_prepare.append(_add_caching)


def _serving(file: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file)

    return serve


async def _add_caching(request: web.Request, response: web.StreamResponse) -> None:
    # Vite names these by their content: they never change.
    if request.path.startswith("/assets/"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
