"""Routes that cannot be reached are reported at the start, before the first event."""

from __future__ import annotations

import asyncio
import logging

import pytest

from consumer import route_check
from consumer.route_check import TRIES, RouteCheck
from interceptor.errors import RetriableError
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.route import Route


class Client:
    def __init__(self) -> None:
        self.problems = {"forecast": "http://fn:8080 cannot be reached: the connection is refused"}
        self.checks = 0

    async def check(self, route: Route) -> None:
        self.checks += 1
        if route.name in self.problems:
            raise RetriableError(self.problems[route.name])


ROUTES = {
    "forecast": Route("forecast", "fn:fncast/forecast", batch=True),
    "other": Route("other", "http://127.0.0.1:1/x", batch=False),
}


async def test_a_route_that_cannot_be_reached_is_logged_once_and_checked_until_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client()
    reports: list[dict[str, str]] = []

    async def sleep(_: float) -> None:
        reports.append(dict(check.failed))
        assert len(caplog.messages) == (len(reports) >= TRIES)  # the function may just be starting
        if len(reports) == 4:
            client.problems.clear()

    check = RouteCheck(client, ROUTES, sleep)
    with caplog.at_level(logging.INFO):
        await check.run()
    assert reports == [{"forecast": "http://fn:8080 cannot be reached: the connection is refused"}] * 4
    assert check.failed == {}
    assert client.checks == 6  # the other route was reached at once
    assert caplog.messages == [
        "route forecast cannot be reached: http://fn:8080 cannot be reached: the connection is refused."
        " Its events wait until it can: check url in [fn] and the app and function",
        "route forecast can be reached now",
    ]


async def test_a_check_that_hangs_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_check, "ANSWER_S", 0.01)

    class Hanging:
        async def check(self, route: Route) -> None:
            await asyncio.Event().wait()

    checked = asyncio.Event()

    async def sleep(_: float) -> None:
        checked.set()
        await asyncio.Event().wait()

    check = RouteCheck(Hanging(), ROUTES, sleep)
    running = asyncio.create_task(check.run())
    await asyncio.wait_for(checked.wait(), 5)
    assert check.failed == dict.fromkeys(ROUTES, "no answer within 0.01 s")
    running.cancel()


async def test_a_url_is_connected_to_and_not_called() -> None:
    got = bytearray()
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.read())
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = FunctionClient("http://fn:8080", timeout_s=2, connections=1)
    await client.check(Route("r", f"http://127.0.0.1:{port}/x?code=S3CRET", batch=False))
    await asyncio.wait_for(ended.wait(), 5)
    assert got == b""
    server.close()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://me:S3CRET@no.such.host.invalid/x", "its host name is unknown"),
        ("http://me:S3CRET@127.0.0.1:1/x", "the connection is refused"),
        (
            "https://me:S3CRET@localhost:1/x",
            "no connection at any of its addresses|the connection is refused",
        ),
        ("fn:fncast/forecast", "http://127.0.0.1:1/v2/apps.* cannot be reached: the connection is refused"),
    ],
)
async def test_a_route_that_cannot_be_reached_is_logged(target: str, message: str) -> None:
    client = FunctionClient("http://127.0.0.1:1", timeout_s=2, connections=1)
    with pytest.raises(RetriableError, match=message) as raised:
        await client.check(Route("r", target, batch=target.startswith("fn:")))
    assert "S3CRET" not in str(raised.value)
    await client.close()
