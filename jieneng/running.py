"""Asking a gateway that runs on the data folder, and so holds its store."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from energy.errors import EnergyError, StoreError
from gateway.api.problems import Problem
from jieneng.settings import Settings

W = TypeVar("W", bound=msgspec.Struct)
_TIMEOUT_S = 120
_OK, _UNKNOWN = 200, 401


def asked(settings: Settings, path: str, query: Mapping[str, Any], answer: type[W], locked: StoreError) -> W:
    """What the gateway answers; `locked` says why the store could not be opened here, where nobody answers."""
    given = {key: value for key, value in query.items() if value is not None}
    address = f"{path}?{urlencode(given, doseq=True)}" if given else path
    return _answered(settings, "GET", address, None, answer, locked)


def posted(settings: Settings, path: str, body: msgspec.Struct, answer: type[W], locked: StoreError) -> W:
    """What the gateway answers to what it is told."""
    return _answered(settings, "POST", path, msgspec.json.encode(body), answer, locked)


def _answered(settings: Settings, method: str, path: str, body: bytes | None, answer: type[W], locked: StoreError) -> W:
    connection = HTTPConnection(*settings.host_and_port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, body, _headers(settings, body))
        response = connection.getresponse()
        text = response.read()
    except (OSError, HTTPException) as error:
        raise EnergyError(f"{locked}; asked at {settings.listen}, nobody answered (--listen names another)") from error
    finally:
        connection.close()
    if response.status == _UNKNOWN:
        raise EnergyError(
            f"{_detail(text)}: {settings.listen} asks who comes; name a file with a token by --token-file"
        )
    if response.status != _OK:
        raise EnergyError(_detail(text) or f"{settings.listen}{path}: {response.status} {response.reason}")
    return msgspec.json.decode(text, type=answer)


def _headers(settings: Settings, body: bytes | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"} if body else {}
    if settings.token_file is not None:
        try:
            headers["Authorization"] = f"Bearer {settings.token_file.read_text(encoding='ascii').strip()}"
        except (OSError, UnicodeDecodeError) as error:
            raise EnergyError(f"{settings.token_file} gives no token: {error}") from error
    return headers


def _detail(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=Problem).detail
    except msgspec.DecodeError:
        return ""
