"""Files that are posted as they are: bounded by their kind, written to disk as they come, gone with the request."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from gateway.api.problems import RequestError

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Taken:
    """Which files a route takes: bytes at most of each Content-Type, and within how many seconds they must be there."""

    most: Mapping[str, int]
    within_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent. What its sender calls it names nothing here."""

    path: Path
    media_type: str
    size: int
    digest: bytes


@asynccontextmanager
async def received(request: web.Request, taken: Taken) -> AsyncIterator[Upload]:
    """The file of a request of which it was looked at whether it may be sent; RequestError 413, 408."""
    most = taken.most[request.content_type]
    if (request.content_length or 0) > most:
        raise _too_large(most)
    with TemporaryDirectory(prefix="jieneng-") as folder:
        path = Path(folder) / "upload"
        try:
            async with asyncio.timeout(taken.within_s):
                size, digest = await _written(request, path, most)
        except TimeoutError:
            raise RequestError(f"the file did not come within {taken.within_s:g} s", status=408) from None
        if size == 0:
            raise RequestError("the body is empty; send the file as it is")
        yield Upload(path, request.content_type, size, digest)


async def _written(request: web.Request, path: Path, most: int) -> tuple[int, bytes]:
    size, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        async for chunk in request.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            digest.update(chunk)
            file.write(chunk)
    return size, digest.digest()


def _too_large(most: int) -> RequestError:
    return RequestError(f"the file has more than the {most} bytes that are taken", status=413)
