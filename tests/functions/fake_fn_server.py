"""A fake of Fn server 0.3.753 without functions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

POLL_S = 0.01  # how often the server looks whether it is shut down


class FakeFnServer(ThreadingHTTPServer):
    """changes: method, path and document of each request that changes something. entries: by kind, the last one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.changes: list[tuple[str, str, Any]] = []
        self.entries: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def fake_fn_server() -> Iterator[FakeFnServer]:
    """A running server."""
    with FakeFnServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FakeFnServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        kind, _, id_ = self.path.removeprefix("/v2/").partition("?")[0].partition("/")
        found = self.server.entries.get(kind)
        if id_:
            self._answer(self._annotated(kind, self.server.entries[kind]))
        else:
            self._answer({"items": [self._annotated(kind, found)] if found else []})

    def do_POST(self) -> None:
        kind = self.path.removeprefix("/v2/")
        document = self._document("POST")
        config = {name: value for name, value in document.get("config", {}).items() if value}
        self.server.entries[kind] = {**document, "id": f"id-of-{kind}", "config": config}
        self._answer(self._annotated(kind, self.server.entries[kind]))

    def do_PUT(self) -> None:
        kind = self.path.removeprefix("/v2/").partition("/")[0]
        document = self._document("PUT")
        entry = self.server.entries[kind]
        config = {**entry["config"], **document.pop("config", {})}
        entry |= {**document, "config": {name: value for name, value in config.items() if value}}
        self._answer(entry)  # without annotations

    def _document(self, method: str) -> Any:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.changes.append((method, self.path, json.loads(body)))
        return json.loads(body)

    def _annotated(self, kind: str, entry: dict[str, Any]) -> dict[str, Any]:
        names = {"fns": "fnproject.io/fn/invokeEndpoint", "triggers": "fnproject.io/trigger/httpEndpoint"}
        return {**entry, "annotations": {names[kind]: f"http://fn/{kind}"}} if kind in names else entry

    def _answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
