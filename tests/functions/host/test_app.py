"""Requests that end early, requests that are too large, and reserved names in the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functions.host import request
from functions.host.app import FunctionHost
from functions.host.folder import InvalidFunction, read_folder


async def post(host: FunctionHost, *events: dict[str, Any], path: str = "/v2/apps") -> int | None:
    """The status of the response to a POST, or None without a response."""
    waiting, sent = list(events), list[Any]()

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 1),
        "headers": [(b"content-type", b"application/json")],
    }
    await host(scope, receive, send)  # type: ignore[arg-type]
    return sent[0]["status"] if sent else None


def part(body: bytes, more_body: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


GONE = {"type": "http.disconnect"}


@pytest.mark.parametrize("path", ["/v2/apps", "/invoke/x", "/t/a/b"])
async def test_half_a_request_changes_nothing(path: str) -> None:
    host = FunctionHost([], {})
    assert await post(host, part(b'{"name": "half"}', more_body=True), GONE, path=path) is None
    assert await post(host, part(b'{"name": "half"}')) == 200  # 409 if it had been created


async def test_the_bytes_of_one_and_of_all_requests_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FunctionHost([], {}, max_request_bytes=100)
    assert await post(host, part(b"x" * 101), path="/invoke/x") == 413
    monkeypatch.setattr(request, "MAX_HELD_BYTES", 50)
    for _ in range(3):
        assert await post(host, part(b"x" * 30, more_body=True), part(b"x" * 30), path="/invoke/x") == 503
        assert await post(host, part(b"x" * 50), path="/invoke/x") == 404


def test_only_a_flag_sets_a_reserved_name(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text("")
    (tmp_path / "func.yaml").write_text("name: f\nconfig: {LD_LIBRARY_PATH: /mine}\n")
    folder = read_folder(tmp_path)
    with pytest.raises(InvalidFunction, match=r"'LD_LIBRARY_PATH' is reserved: .*Pass it with --config"):
        FunctionHost([folder], {})
    FunctionHost([folder], {}, {"LD_LIBRARY_PATH": "/theirs"})
    with pytest.raises(InvalidFunction, match="'FN_LISTENER' is reserved: the host sets the variables FN_"):
        FunctionHost([folder], {}, {"LD_LIBRARY_PATH": "/theirs", "FN_LISTENER": "unix:/mine"})
