"""The server's own failures."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.http.server import build_server


async def test_an_application_that_fails_at_its_start_is_not_served(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(SystemExit, match="3"):
        await build_server(app).serve(sockets=[])
    assert "a bug" in caplog.text
