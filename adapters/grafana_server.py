"""A running Grafana over its HTTP API, by `grafana-api`: an extra of its own, named here and nowhere else.

Documented at https://grafana.com/docs/grafana/latest/developers/http_api/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from energy.errors import EnergyError, StoreError

A = TypeVar("A")
Model = dict[str, Any]
_TIMEOUT_S = 30.0
# As many as one search answers at most.
_MOST = 5000
_ABSENT, _CHANGED_MEANWHILE = 404, (409, 412)


class ChangedMeanwhile(EnergyError):
    """Somebody else has saved it since it was read, or something of this name is there."""


@dataclass(frozen=True, slots=True)
class KeptDashboard:
    """A dashboard as Grafana keeps it; `provisioned` from files, so that nobody else may save it."""

    model: Model
    folder: str
    provisioned: bool


class GrafanaServer:
    """Fulfils `Grafana` of gateway/dashboards."""

    def __init__(self, url: str, token: str, *, ca: str | None = None) -> None:
        try:
            from grafana_api.grafana_face import GrafanaFace
        except ImportError as error:
            raise EnergyError("grafana-api is not installed: pip install 'jieneng[grafana]'") from error
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise EnergyError(f"{url}: write http://HOST:3000 or https://HOST/PATH")
        prefix = parts.path.strip("/")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._at = url
        self._face = GrafanaFace(
            token, host, parts.port, f"{prefix}/" if prefix else "", parts.scheme, ca or True, _TIMEOUT_S
        )

    def dashboards(self, tag: str) -> list[str]:
        """The uids of the dashboards with a tag."""
        found = self._asked(lambda: self._face.search.search_dashboards(tag=tag, type_="dash-db", limit=_MOST))
        return [str(one["uid"]) for one in found]

    def dashboard(self, uid: str) -> KeptDashboard | None:
        found = self._maybe(lambda: self._face.dashboard.get_dashboard(uid))
        if found is None:
            return None
        meta = found["meta"]
        return KeptDashboard(found["dashboard"], str(meta.get("folderUid") or ""), bool(meta.get("provisioned")))

    def save(self, model: Mapping[str, Any], folder: str, version: int | None) -> None:
        """Keep a dashboard; over `version` of it where it is there already. ChangedMeanwhile where that is not so."""
        told = {**model, "id": None} if version is None else {**model, "version": version}
        body = {"dashboard": told, "folderUid": folder, "overwrite": False, "message": "jieneng grafana push"}
        self._asked(lambda: self._face.dashboard.update_dashboard(body))

    def delete(self, uid: str) -> None:
        self._asked(lambda: self._face.dashboard.delete_dashboard(uid))

    def has_folder(self, uid: str) -> bool:
        return self._maybe(lambda: self._face.folder.get_folder(uid)) is not None

    def make_folder(self, uid: str, title: str) -> None:
        self._asked(lambda: self._face.folder.create_folder(title, uid))

    # The library knows data sources by their numbers alone, which Grafana has given up since 9.0 for uids.

    def data_source(self, uid: str) -> Model | None:
        found = self._maybe(lambda: self._face.api.GET(f"/datasources/uid/{uid}"))
        return None if found is None else dict(found)

    def create_data_source(self, model: Mapping[str, Any]) -> None:
        self._asked(lambda: self._face.datasource.create_datasource(dict(model)))

    def update_data_source(self, uid: str, model: Mapping[str, Any]) -> None:
        self._asked(lambda: self._face.api.PUT(f"/datasources/uid/{uid}", json=dict(model)))

    def _asked(self, call: Callable[[], A]) -> A:
        with self._told():
            return call()

    def _maybe(self, call: Callable[[], A]) -> A | None:
        """None where Grafana says that there is none."""
        from grafana_api.grafana_api import GrafanaClientError

        with self._told():
            try:
                return call()
            except GrafanaClientError as error:
                if error.status_code == _ABSENT:
                    return None
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        from grafana_api.grafana_api import GrafanaException

        try:
            yield
        except GrafanaException as error:
            said = error.response.get("message", "") if isinstance(error.response, dict) else str(error.response)[:200]
            if error.status_code in _CHANGED_MEANWHILE:
                raise ChangedMeanwhile(f"Grafana at {self._at}: {said or error.status_code}") from None
            hint = "; the token wants the role Admin" if error.status_code in (401, 403) else ""
            raise StoreError(f"Grafana at {self._at} refuses ({error.status_code}): {said}{hint}") from None
        except (OSError, ValueError) as error:
            # What `requests` raises; a proxy's page is no JSON.
            raise StoreError(f"Grafana at {self._at} cannot be asked: {error}") from None
