"""A gRPC server that terminates is restarted, and its credentials stay secret."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import grpc
import pytest

from model_service.protocols.open_inference import grpc_server
from model_service.protocols.open_inference.grpc_server import Credentials


class EndingServer:
    """Stands in for the server of the library. It terminates or fails when the test says so.

    error: raised when it terminates. port_error: raised when it gets its port.
    """

    def __init__(self, error: Exception | None = None, port_error: Exception | None = None) -> None:
        self.error = error
        self.port_error = port_error
        self.started = asyncio.Event()
        self.ended = asyncio.Event()
        self.stopped = False

    def add_generic_rpc_handlers(self, handlers: object) -> None: ...

    def add_insecure_port(self, address: str) -> None:
        if self.port_error:
            raise self.port_error

    async def start(self) -> None:
        self.started.set()

    async def wait_for_termination(self) -> None:
        await self.ended.wait()
        if self.error:
            raise self.error

    async def stop(self, grace_s: float) -> None:
        self.stopped = True
        self.ended.set()


async def test_a_server_that_terminates_is_restarted(
    shelf: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_server, "RESTART_S", 0.001)
    first, second, third = EndingServer(), EndingServer(RuntimeError("a bug")), EndingServer()
    taken = EndingServer(port_error=RuntimeError("the port is taken"))
    servers = [first, taken, taken, second, third]
    monkeypatch.setattr(grpc.aio, "server", lambda **_: servers.pop(0))
    server = grpc_server.GrpcServer(shelf, "127.0.0.1", 1)
    await server.start()
    async with asyncio.timeout(10):
        first.ended.set()  # not by us
        await second.started.wait()
        second.ended.set()
        await third.started.wait()
        await server.stop()
    assert third.stopped
    assert not servers
    assert not taken.started.is_set()
    assert "the gRPC server on 127.0.0.1:1 terminated; restarting it" in caplog.text
    assert re.findall(r"the port is taken; next attempt in (\S+) s", caplog.text) == ["0.002", "0.004"]
    assert "failed; restarting it" in caplog.text
    assert "RuntimeError: a bug" in caplog.text


def test_credentials_are_not_shown() -> None:
    assert "secret" not in repr(Credentials(b"c", b"secret", "secret"))
