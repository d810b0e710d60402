"""Limits for gRPC clients that are silent, send incomplete messages, or are too many; and the token check."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
from kafka_container import free_port
from running_model_service import FakeRepository

from model_service.protocols.open_inference import grpc_limits, messages_pb2
from model_service.protocols.open_inference.grpc_server import Credentials, GrpcServer
from model_service.protocols.open_inference.grpc_service import HEALTH, SERVICE

pytestmark = pytest.mark.integration

TOKEN = "a-token"


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A server with a token, short time-outs, and 32 open files: a quarter of them may be connections."""
    monkeypatch.setattr(grpc_limits, "MESSAGE_TIMEOUT_S", 0.3)
    options = {**dict(grpc_limits.OPTIONS), "grpc.server_handshake_timeout_ms": 500}
    monkeypatch.setattr("model_service.protocols.open_inference.grpc_server.OPTIONS", list(options.items()))
    monkeypatch.setattr("model_service.protocols.open_inference.grpc_server.raise_file_limit", lambda: 32)
    port = free_port()
    running = GrpcServer(FakeRepository(), "127.0.0.1", port, Credentials(token=TOKEN))
    await running.start()
    yield f"127.0.0.1:{port}"
    await running.stop()


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), 20)


async def is_live(address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(f"/{SERVICE}/ServerLive")
        try:
            answer = await call(b"", timeout=5)
        except grpc.aio.AioRpcError:
            return False
        return bool(messages_pb2.ServerLiveResponse.FromString(answer).live)


async def until_live(address: str) -> None:
    async with asyncio.timeout(20):
        while not await is_live(address):  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("sent", [b"", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\n"])
async def test_a_connection_without_http_2_is_closed(address: str, sent: bytes) -> None:
    with contextlib.closing(connect(address)) as connection:
        connection.sendall(sent)

        def closed() -> bool:
            with contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    pass
            return True

        assert await asyncio.to_thread(closed)
    assert await is_live(address)


async def test_a_call_without_its_message_times_out(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        call: Any = channel.stream_unary(f"/{SERVICE}/ModelInfer")()
        with pytest.raises(grpc.aio.AioRpcError, match="the message did not arrive within") as raised:
            await call
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert await is_live(address)


async def test_a_call_that_ends_without_a_message_is_rejected(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError, match="no message") as raised:
            await channel.stream_unary(f"/{HEALTH}/Check")(iter(()))
        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_connections_are_limited(address: str) -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(contextlib.closing(connect(address))) for _ in range(16)]

        def answered(connection: socket.socket) -> bool:
            try:
                connection.sendall(preface)
                return bool(connection.recv(9))
            except ConnectionError:
                return False

        served = await asyncio.gather(*(asyncio.to_thread(answered, each) for each in opened))
        assert 1 <= sum(served) <= 8
    await until_live(address)


@pytest.mark.parametrize(
    ("given", "is_right"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (f"BEARER {TOKEN}", True),
        ("bearer wrong", False),
        (TOKEN, False),
        (f"Basic {TOKEN}", False),
    ],
)
async def test_the_case_of_the_scheme_does_not_matter(address: str, given: str, is_right: bool) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(f"/{SERVICE}/ServerMetadata")(b"", metadata=[("authorization", given)])
        if is_right:
            assert messages_pb2.ServerMetadataResponse.FromString(await call).name
        else:
            with pytest.raises(grpc.aio.AioRpcError, match="a bearer token is needed"):
                await call
