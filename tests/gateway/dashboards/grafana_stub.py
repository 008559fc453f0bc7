"""Plays the part of a Grafana by the documentation of its HTTP API, as far as dashboards are put into one.

https://grafana.com/docs/grafana/latest/developers/http_api/ : dashboard, folder, folder_dashboard_search, data_source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "a token of the stub"
Said = tuple[int, Any]
_KINDS = {"postgres", "prometheus"}


class GrafanaStub:
    """What is kept, and what was asked: (method, path)."""

    def __init__(self) -> None:
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.folders_of: dict[str, str] = {}
        self.provisioned: set[str] = set()
        self.folders: dict[str, str] = {}
        self.sources: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.meanwhile: Any = None
        self._ids = count(1)
        self.url = ""

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.asked if method != "GET"]

    def answer(self, method: str, target: str, token: str | None, body: Any) -> Said:
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.asked.append((method, path))
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        parts = [unquote(part) for part in path.removeprefix("/grafana").strip("/").split("/")]
        if parts[:1] != ["api"]:
            return 404, {"message": "Not found"}
        match (method, parts[1:]):
            case "GET", ["search"]:
                return self._search(query)
            case "GET", ["dashboards", "uid", uid]:
                return self._dashboard(uid)
            case "DELETE", ["dashboards", "uid", uid]:
                return self._delete(uid)
            case "POST", ["dashboards", "db"]:
                return self._save(body)
            case "GET", ["folders", uid]:
                return (200, self._folder(uid)) if uid in self.folders else (404, {"message": "folder not found"})
            case "POST", ["folders"]:
                return self._make_folder(body)
            case "GET", ["datasources", "uid", uid]:
                return self._source(uid)
            case "POST", ["datasources"]:
                return self._create(body)
            case "PUT", ["datasources", "uid", uid]:
                return self._update(uid, body)
        return 404, {"message": "Not found"}

    # -- dashboards -----------------------------------------------------------------------------------------------

    def _search(self, query: dict[str, list[str]]) -> Said:
        assert set(query) <= {"tag", "type", "limit", "query"} and query["type"] == ["dash-db"], query
        assert int(query["limit"][0]) <= 5000
        return 200, [
            {"id": m["id"], "uid": uid, "title": m["title"], "tags": m["tags"], "type": "dash-db"}
            for uid, m in self.dashboards.items()
            if set(query["tag"]) <= set(m.get("tags", []))
        ]

    def _dashboard(self, uid: str) -> Said:
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found"}
        meta = {"folderUid": self.folders_of[uid], "provisioned": uid in self.provisioned, "slug": "x"}
        return 200, {"dashboard": self.dashboards[uid], "meta": meta}

    def _delete(self, uid: str) -> Said:
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found"}
        gone = self.dashboards.pop(uid)
        return 200, {"title": gone["title"], "message": f"Dashboard {gone['title']} deleted", "id": gone["id"]}

    def _save(self, body: Any) -> Said:
        assert set(body) <= {"dashboard", "folderId", "folderUid", "message", "overwrite"}, set(body)
        if self.meanwhile is not None:
            self.meanwhile, act = None, self.meanwhile
            act()
        model, folder = dict(body["dashboard"]), body.get("folderUid", "")
        uid = model.get("uid")
        if not model.get("title") or not uid or len(uid) > 40:
            return 400, {"message": "Dashboard title cannot be empty, uid too long"}
        if folder and folder not in self.folders:
            return 400, {"message": "folder not found"}
        if uid in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        kept = self.dashboards.get(uid)
        if kept is not None and not body["overwrite"] and model.get("version") != kept["version"]:
            return 412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"}
        for other, there in self.dashboards.items():
            if other != uid and there["title"] == model["title"] and self.folders_of[other] == folder:
                return 412, {"status": "name-exists", "message": "A dashboard with the same name already exists"}
        number, version = (kept["id"], kept["version"] + 1) if kept else (next(self._ids), 1)
        self.dashboards[uid] = {**model, "id": number, "version": version}
        self.folders_of[uid] = folder
        told = {"id": number, "uid": uid, "url": f"/d/{uid}/x", "status": "success", "version": version, "slug": "x"}
        return 200, told

    def _folder(self, uid: str) -> dict[str, Any]:
        return {"id": 1, "uid": uid, "title": self.folders[uid], "url": f"/dashboards/f/{uid}", "version": 1}

    def _make_folder(self, body: Any) -> Said:
        assert set(body) <= {"uid", "title", "parentUid"} and body["title"]
        if body["uid"] in self.folders:
            return 412, {"message": "a folder with the same uid already exists", "status": "version-mismatch"}
        self.folders[body["uid"]] = body["title"]
        return 200, self._folder(body["uid"])

    # -- data sources ---------------------------------------------------------------------------------------------

    def _source(self, uid: str) -> Said:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        fields = dict.fromkeys(self.secrets[uid], True)
        told = {name: value for name, value in self.sources[uid].items() if value not in ("", None)}
        return 200, {**told, "secureJsonFields": fields, "readOnly": False}

    def _create(self, body: Any) -> Said:
        if not body.get("name") or body.get("type") not in _KINDS or body.get("access") not in ("proxy", "direct"):
            return 400, {"message": "bad request data"}
        if body["uid"] in self.sources or any(s["name"] == body["name"] for s in self.sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        self._keep(body, next(self._ids), 1)
        return 200, {"datasource": self.sources[body["uid"]], "message": "Datasource added", "name": body["name"]}

    def _update(self, uid: str, body: Any) -> Said:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        if body.get("version") != self.sources[uid]["version"]:
            return 409, {"message": "Datasource has already been updated by someone else. Please reload and try again"}
        self._keep(body, self.sources[uid]["id"], self.sources[uid]["version"] + 1)
        return 200, {"datasource": self.sources[uid], "message": "Datasource updated", "name": body["name"]}

    def _keep(self, body: dict[str, Any], number: int, version: int) -> None:
        uid = body["uid"]
        self.secrets[uid] = self.secrets.get(uid, {}) | body.get("secureJsonData", {})
        told = {name: value for name, value in body.items() if name != "secureJsonData"}
        if body["type"] == "postgres":
            told["type"] = "grafana-postgresql-datasource"
        self.sources[uid] = {**told, "id": number, "orgId": 1, "version": version, "typeLogoUrl": ""}


@contextmanager
def grafana_stub() -> Iterator[GrafanaStub]:
    """A stub on a port of 127.0.0.1, below a path, as behind a proxy."""
    stub = GrafanaStub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            assert not text or self.headers["Content-Type"] == "application/json"
            status, told = stub.answer(
                self.command, self.path, self.headers.get("Authorization"), json.loads(text) if text else None
            )
            made = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(made)))
            self.end_headers()
            self.wfile.write(made)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is written."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}/grafana"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
