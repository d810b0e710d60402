"""The server's own failures."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.failure import Failure
from fncast.http.server import Server, build_server, serve


async def test_an_application_that_fails_at_its_start_is_not_served(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(Failure, match="the service could not start; the lines above say why"):
        await build_server(app).serve(sockets=[])
    assert "a bug" in caplog.text


def test_an_application_that_fails_at_its_start_ends_the_command_with_one_sentence() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(Failure, match="the service could not start"):
        serve(app, "127.0.0.1", 0, "")


def test_a_listener_that_fails_ends_the_command_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    async def on_tick(server: Server, counter: int) -> bool:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Server, "on_tick", on_tick)
    with pytest.raises(Failure, match="the listener has stopped: RuntimeError: a bug"):
        serve(app, "127.0.0.1", 0, "")
    assert "the listener has stopped" in caplog.text
