"""VictoriaMetrics over HTTP: what goes in, what comes out, and whether it has been started again."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec

from adapters.addresses import secret_in, shown
from energy.errors import EnergyError, StoreError

_TIMEOUT = aiohttp.ClientTimeout(total=120, connect=10)
_OPTIONS = ("select", "name", "journal", "password_file", "token_file")
_FORM = "victoria+http://HOST:8428, or victoria+https://"
_UPTIME = re.compile(rb"^vm_app_uptime_seconds (\S+)$", re.MULTILINE)
_SHOWN = 300
# A server says in whole seconds how long it has been up.
_UPTIME_STEP_S = 1.0
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
        parts = urlsplit(address.removeprefix("victoria+"))
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
    return {"Authorization": aiohttp.BasicAuth(user, password, "utf-8").encode()}


class Sample(msgspec.Struct):
    """One series of the answer to an instant query: its labels, the instant [s], the value."""

    metric: dict[str, str]
    value: tuple[float, str]


class _Data(msgspec.Struct):
    result: list[Sample]


class _Answer(msgspec.Struct):
    data: _Data


class _Series(msgspec.Struct):
    data: list[dict[str, str]]


class _Labels(msgspec.Struct):
    data: list[str]


class VictoriaClient:
    """Asks a server; StoreError in words where it fails. Its answers are whole: one that is cut off is a failure."""

    def __init__(self, at: VictoriaAddress) -> None:
        self.at = at
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

    async def series(self, selector: str) -> list[dict[str, str]]:
        """The labels of all series there ever were."""
        form = {"match[]": selector, "start": _BEGINNING}
        return msgspec.json.decode(await self._ask(f"{self.at.select}/api/v1/series", form), type=_Series).data

    async def values_of(self, label: str, selector: str) -> list[str]:
        """All that a label ever was."""
        url = f"{self.at.select}/api/v1/label/{label}/values"
        return msgspec.json.decode(await self._ask(url, {"match[]": selector, "start": _BEGINNING}), type=_Labels).data

    async def started(self) -> tuple[float, float]:
        """When the server was started, by the monotonic clock: not before, and not after."""
        before = time.monotonic()
        found = _UPTIME.search(await self._ask(f"{_origin(self.at.insert)}/metrics", None))
        if found is None:
            raise StoreError(f"{self.at}: its metrics do not tell how long it has been up; is it VictoriaMetrics?")
        return before - float(found[1]) - _UPTIME_STEP_S, time.monotonic() - float(found[1])

    async def _ask(self, url: str, content: bytes | Mapping[str, str] | None) -> bytes:
        try:
            async with self._session.request(
                "GET" if content is None else "POST", url, data=content, allow_redirects=False
            ) as answer:
                body = await answer.read()
                if answer.status in (200, 204):
                    return body
                said = body[:_SHOWN].decode("utf-8", "replace").strip()
                raise StoreError(f"{self.at} refuses: {answer.status} {answer.reason}: {said}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreError(f"{self.at} cannot be reached: {str(error) or 'no answer'}") from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _wrong(address: str, what: str) -> EnergyError:
    return EnergyError(f"store {shown(address)}: {what}")
