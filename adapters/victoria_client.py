"""VictoriaMetrics over HTTP: what goes in, what comes out, and whether it has been started again."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec

from adapters.addresses import parts_of, secret_in, shown
from energy.errors import EnergyError, StoreError

_TIMEOUT = aiohttp.ClientTimeout(total=120, connect=10)
_OPTIONS = ("select", "name", "journal", "password_file", "token_file")
_FORM = "victoria+http://HOST:8428, or victoria+https://"
_STARTED = re.compile(rb"^vm_app_start_timestamp (\S+)$", re.MULTILINE)
# A number alone is so many months of 31 days.
_KEEPS = re.compile(rb'^flag\{name="retentionPeriod", value="([\d.]+)([hdwy]?)"', re.MULTILINE)
_HOURS = {b"h": 1, b"d": 24, b"w": 168, b"y": 8760, b"": 744}
_HOUR_MS = 3_600_000
_SHOWN = 300
# Said by what stands between us and a server that has not answered it.
_NOBODY_THERE = (502, 504)
# Nothing at all would mean the last minutes.
_BEGINNING = "0.001"


@dataclass(frozen=True, slots=True)
class VictoriaAddress:
    """`victoria+http://[USER@]HOST:PORT[/PATH]`, or `victoria+https://`.

    `?select=URL` is where it is read, if not where it is written (a cluster: vminsert and vmselect), `&name=` how its
    series begin, `&journal=FOLDER` where the last minute is kept until it is safe there, `&password_file=FILE` or
    `&token_file=FILE` what it is shown.
    """

    insert: str
    select: str
    name: str
    journal: Path
    headers: Mapping[str, str]

    @classmethod
    def parse(cls, address: str) -> VictoriaAddress:
        parts = parts_of(address.removeprefix("victoria+"), "store")
        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise _wrong(address, f"{', '.join(unknown)} is not known; known are {', '.join(_OPTIONS)}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _wrong(address, f"write {_FORM}")
        if parts.password:
            raise _wrong(address, "a password does not stand in an address; use ?password_file=FILE")
        name = options.get("name", "jieneng")
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name):
            raise _wrong(address, f"name {name!r} is made of letters, digits and _")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        insert = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"
        select = options.get("select", insert).rstrip("/")
        if "journal" not in options:
            raise _wrong(address, "journal is missing: the folder in which the last minute is kept until it is safe")
        return cls(insert, select, name, Path(options["journal"]), _headers(address, parts.username, options))

    def __str__(self) -> str:
        return self.insert


def _headers(address: str, user: str | None, options: Mapping[str, str]) -> Mapping[str, str]:
    def held(option: str) -> str:
        return secret_in(options[option], f"store {shown(address)}: {options[option]}")

    if "token_file" in options:
        return {"Authorization": f"Bearer {held('token_file')}"}
    if user is None:
        return {}
    password = held("password_file") if "password_file" in options else ""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


class Labels(msgspec.Struct):
    """Of a series: its name, whose it is, and which function told of it, where several did."""

    name: str = msgspec.field(name="__name__")
    meter: str
    quantity: str
    rollup: str = ""


class Sample(msgspec.Struct):
    """One series of the answer to an instant query: its labels, the instant that was asked for [s], the value."""

    metric: Labels
    value: tuple[float, str]


class _Data(msgspec.Struct):
    result: list[Sample]


class _Answer(msgspec.Struct):
    data: _Data


class _Series(msgspec.Struct):
    data: list[Labels]


class _Labels(msgspec.Struct):
    data: list[str]


class NoAnswer(StoreError):
    """Nobody knows whether the server has done what it was asked for."""


class VictoriaClient:
    """Asks a server; StoreError in words where it fails. Its answers are whole: one that is cut off is a failure."""

    def __init__(self, at: VictoriaAddress) -> None:
        self.at = at
        # How many questions were left without an answer.
        self.unanswered = 0
        self._session = aiohttp.ClientSession(headers=dict(at.headers), timeout=_TIMEOUT, trust_env=False)

    async def close(self) -> None:
        await self._session.close()

    async def put(self, body: bytes) -> None:
        """Take samples; they can be asked for some seconds later, and are safe on its disk some seconds later."""
        await self._ask(f"{self.at.insert}/api/v1/import", body)

    async def show_all(self) -> bool:
        """Have the server show all that it has taken, as one that is no cluster can; False where it cannot."""
        if self.at.select != self.at.insert:
            return False
        try:
            await self._ask(f"{self.at.insert}/internal/force_flush", None)
        except StoreError:
            return False
        return True

    async def export(self, selector: str, from_ms: int, to_ms: int) -> bytes:
        """All samples of series over [from, to], and some on either side, as lines of JSON."""
        # Instants are told as seconds, which are not exact: a second more on either side is cut off by who asks.
        form = {"match[]": selector, "start": str(from_ms / 1000 - 1), "end": str(to_ms / 1000 + 1)}
        return await self._ask(f"{self.at.select}/api/v1/export", form | {"reduce_mem_usage": "1"})

    async def query(self, expression: str, at_ms: int) -> list[Sample]:
        """An instant query."""
        form = {"query": expression, "time": str(at_ms / 1000), "nocache": "1"}
        return msgspec.json.decode(await self._ask(f"{self.at.select}/api/v1/query", form), type=_Answer).data.result

    async def series(self, selector: str) -> list[Labels]:
        """The labels of all series there ever were."""
        form = {"match[]": selector, "start": _BEGINNING}
        return msgspec.json.decode(await self._ask(f"{self.at.select}/api/v1/series", form), type=_Series).data

    async def values_of(self, label: str, selector: str) -> list[str]:
        """All that a label ever was."""
        url = f"{self.at.select}/api/v1/label/{label}/values"
        return msgspec.json.decode(await self._ask(url, {"match[]": selector, "start": _BEGINNING}), type=_Labels).data

    async def started(self) -> bytes:
        """When the server was started, as it says it."""
        found = _STARTED.search(await self._metrics())
        if found is None:
            raise StoreError(f"{self.at}: its metrics do not tell when it was started; is it VictoriaMetrics?")
        return found[1]

    async def keeps_ms(self) -> int | None:
        """How old a sample may be that the server takes [ms]; None where it does not say, as in a cluster."""
        found = _KEEPS.search(await self._metrics())
        return None if found is None else int(float(found[1]) * _HOURS[found[2]] * _HOUR_MS)

    async def _metrics(self) -> bytes:
        return await self._ask(f"{_origin(self.at.insert)}/metrics", None)

    async def _ask(self, url: str, content: bytes | Mapping[str, str] | None) -> bytes:
        try:
            async with self._session.request(
                "GET" if content is None else "POST", url, data=content, allow_redirects=False
            ) as answer:
                body = await answer.read()
                if answer.status in (200, 204):
                    return body
                said = body[:_SHOWN].decode("utf-8", "replace").strip()
                kind = NoAnswer if answer.status in _NOBODY_THERE else StoreError
                raise kind(f"{self.at} refuses: {answer.status} {answer.reason}: {said}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.unanswered += 1
            # Who was never connected has asked nothing.
            kind = StoreError if isinstance(error, aiohttp.ClientConnectorError) else NoAnswer
            raise kind(f"{self.at} cannot be reached: {str(error) or 'no answer'}") from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _wrong(address: str, what: str) -> EnergyError:
    return EnergyError(f"store {shown(address)}: {what}")
