"""InfluxDB 2 over HTTP, by `influxdb-client`: what goes in, and what becomes of it; what comes out."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote

import aiohttp
import msgspec
from influxdb_client import Dialect, Query, QueryService, WritePrecision
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from adapters.addresses import parts_of, secret_in, shown
from energy.errors import EnergyError, StoreError

# An answer may take as long as it has something to say; what is written is answered within two minutes.
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=120)
_WRITTEN_WITHIN_S = 120.0
# So many bytes of an answer are looked at a time.
_CHUNK = 1 << 20
_DIALECT = Dialect(header=True, delimiter=",", comment_prefix="#", annotations=["datatype", "group", "default"])
_OPTIONS = ("name", "token_file", "ca")
_FORM = "influx+http://HOST:8086/ORGANISATION/BUCKET?token_file=FILE, or influx+https://"
_SHOWN = 300
# As many lines go together as InfluxDB's own advice says.
AT_ONCE = 5000
# A server that is full or slow is asked again after so many seconds, unless it says another time itself.
_PATIENCE_S = (1.0, 2.0, 4.0)
_LONGEST_WAIT_S = 30.0
_BUSY = (429, 503)
_TOO_LARGE = 413
# What a server says of single points; earlier versions answer so with 500.
_OF_POINTS = re.compile(
    r"partial write|dropped=|unable to parse|field type conflict|beyond retention|time outside range"
)
_DROPPED = re.compile(r"dropped=(\d+)")

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """`influx+http://HOST:8086/ORGANISATION/BUCKET?token_file=FILE`, or `influx+https://`.

    `&name=` is the measurement, `&ca=FILE` who signed the certificate of the server.
    """

    url: str
    org: str
    bucket: str
    token: str = field(repr=False)
    name: str
    ca: str | None

    @classmethod
    def parse(cls, address: str, token_file: Path | None = None) -> InfluxAddress:
        """`token_file` stands in place of the address's own."""
        parts = parts_of(address.removeprefix("influx+"), "store")
        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise _wrong(address, f"{', '.join(unknown)} is not known; known are {', '.join(_OPTIONS)}")
        path = [unquote(part) for part in parts.path.strip("/").split("/")]
        if parts.scheme not in ("http", "https") or not parts.hostname or len(path) != 2 or not all(path):
            raise _wrong(address, f"write {_FORM}")
        if parts.username or parts.password:
            raise _wrong(address, "who one is stands in no address; use ?token_file=FILE")
        if token_file is not None:
            options["token_file"] = str(token_file)
        if "token_file" not in options:
            raise _wrong(address, "token_file is missing: the file that holds the token")
        _must_be_authorities(address, options.get("ca"))
        name = options.get("name", "jieneng")
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", name):
            raise _wrong(address, f"name {name!r} is made of letters, digits and _")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        url = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"
        org, bucket = path
        return cls(
            url,
            org,
            bucket,
            secret_in(options["token_file"], f"store {shown(address)}: {options['token_file']}"),
            name,
            options.get("ca"),
        )

    def __str__(self) -> str:
        return f"{self.url}/{self.org}/{self.bucket}"


class _Refused(Exception):
    """The server will not take what it was given: it is too large, or some of its points are not to be had."""

    def __init__(self, why: str, *, too_large: bool = False, dropped: int | None = None) -> None:
        super().__init__(why)
        self.why, self.too_large, self.dropped = why, too_large, dropped


class _Said(msgspec.Struct):
    message: str = ""


class InfluxClient:
    """Asks a server; StoreError in words where it fails. One that is busy is asked again, while the caller waits."""

    def __init__(self, at: InfluxAddress, sleep: Sleep = asyncio.sleep, at_once: int = AT_ONCE) -> None:
        self.at, self._sleep, self._at_once = at, sleep, at_once
        self._client = InfluxDBClientAsync(
            at.url, token=at.token, org=at.org, timeout=_TIMEOUT, ssl_ca_cert=at.ca, allow_redirects=False
        )

    async def close(self) -> None:
        await self._client.close()

    async def ask(self, flux: str, take: Callable[[bytes], None]) -> None:
        """The answer to a query, as annotated CSV, handed over in parts as it comes; in threads, one after another."""
        try:
            answer = await self._patiently(lambda: self._begun(flux))
        except _Refused as refused:
            raise StoreError(f"{self.at} refuses a question: {refused.why}") from refused
        async with answer:
            with self._reached():
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    await asyncio.to_thread(take, chunk)

    async def _begun(self, flux: str) -> aiohttp.ClientResponse:
        """An answer of which nothing but its status was read; ApiException where that is no good one."""
        answer: aiohttp.ClientResponse = await QueryService(self._client.api_client).post_query_async(
            org=self.at.org, query=Query(query=flux, dialect=_DIALECT, type="flux"), _preload_content=False
        )
        if answer.status == 200:
            return answer
        async with answer:
            error = ApiException(answer.status, answer.reason)
            error.body, error.headers = await answer.read(), answer.headers
            raise error

    async def put(self, lines: Sequence[str]) -> Mapping[int, str]:
        """Write lines; on the server's disk when it returns. Why it refuses some, by their position."""
        refused: dict[int, str] = {}
        for first in range(0, len(lines), self._at_once):
            some = await self._some(lines[first : first + self._at_once])
            refused |= {first + position: why for position, why in some.items()}
        return refused

    async def _some(self, lines: Sequence[str]) -> dict[int, str]:
        """Write lines together; where the server refuses some, find them by halves: to write twice does no harm."""
        try:
            await self._patiently(lambda: self._write(lines))
        except _Refused as refused:
            if len(lines) == 1 and refused.too_large:
                raise StoreError(f"{self.at} takes not even one reading: {refused.why}") from refused
            if len(lines) == 1 or refused.dropped == len(lines):
                return dict.fromkeys(range(len(lines)), refused.why)
        else:
            return {}
        middle = len(lines) // 2
        first, second = await self._some(lines[:middle]), await self._some(lines[middle:])
        return first | {middle + position: why for position, why in second.items()}

    async def _write(self, lines: Sequence[str]) -> None:
        body = "\n".join(lines).encode()
        async with asyncio.timeout(_WRITTEN_WITHIN_S):
            done = await self._client.write_api().write(self.at.bucket, record=body, write_precision=WritePrecision.MS)
        if not done:
            raise StoreError(f"{self.at} has not said that it took what was written")

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        for patience_s in (*_PATIENCE_S, None):
            try:
                with self._reached():
                    return await call()
            except ApiException as error:
                if error.status not in _BUSY or patience_s is None:
                    raise self._told(error) from error
                await self._sleep(_wait_s(error, patience_s))
        raise AssertionError("unreachable")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreError(f"{self.at} cannot be reached: {str(error) or 'no answer'}") from error

    def _told(self, error: ApiException) -> Exception:
        whole = _whole(error)
        said = whole[:_SHOWN]
        if error.status == _TOO_LARGE:
            return _Refused(said, too_large=True)
        if error.status in (400, 422, 500) and _OF_POINTS.search(whole):
            # How many are dropped stands at the end of what names points at length.
            dropped = _DROPPED.search(whole)
            return _Refused(_DROPPED.sub("", said).strip(), dropped=int(dropped[1]) if dropped else None)
        hint = "; `jieneng setup` makes the bucket" if error.status == 404 else ""
        return StoreError(f"{self.at} refuses: {error.status} {error.reason}: {said}{hint}")


def said_by(error: ApiException) -> str:
    """What the server says of an error, as far as it is shown."""
    return _whole(error)[:_SHOWN]


def _whole(error: ApiException) -> str:
    body: Any = error.body or b""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    with suppress(msgspec.DecodeError):
        text = msgspec.json.decode(text, type=_Said).message or text
    return text.strip()


def _wait_s(error: ApiException, patience_s: float) -> float:
    said = str((error.headers or {}).get("Retry-After", ""))
    return min(float(said), _LONGEST_WAIT_S) if said.isdigit() else patience_s


def _must_be_authorities(address: str, ca: str | None) -> None:
    try:
        if ca is not None:
            ssl.create_default_context(cafile=ca)
    except ssl.SSLError as error:
        raise _wrong(address, f"{ca} holds no certificates: {error.reason or error}") from error
    except OSError as error:
        raise _wrong(address, f"{ca} cannot be read: {error.strerror}") from error


def _wrong(address: str, what: str) -> EnergyError:
    return EnergyError(f"store {shown(address)}: {what}")
