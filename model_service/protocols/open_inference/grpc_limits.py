"""How long the gRPC server waits for its clients, and how many it serves.

`Host` (`:authority`) is not looked at: gRPC for Python does not show it, and no browser sends calls of gRPC.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

# From the start of a call until its message is here; gRPC does not show how much of it has come.
MESSAGE_TIMEOUT_S = 60.0
MAX_CONNECTIONS = 1000
# https://grpc.github.io/grpc/core/group__grpc__arg__keys.html
OPTIONS = [
    ("grpc.server_handshake_timeout_ms", 10_000),  # TLS, and HTTP/2's first frames
    ("grpc.max_allowed_incoming_connections", MAX_CONNECTIONS),
    ("grpc.max_concurrent_streams", 128),  # of one connection; more wait at the client
    ("grpc.max_connection_idle_ms", 300_000),  # without a call
    ("grpc.keepalive_time_ms", 60_000),  # a peer that has gone without a word is noticed
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # clients may look after their connection, too
]

Answer = Callable[[bytes, Any], Awaitable[bytes]]


def unary_handler(answer: Answer) -> Any:
    """The handler of a method of one message each way, as bytes.

    For gRPC it takes a stream: of a plain method the message is awaited before any code of ours runs, without an end.
    """

    async def call(_: AsyncIterator[bytes], context: Any) -> bytes:
        try:
            async with asyncio.timeout(MESSAGE_TIMEOUT_S):
                message = await context.read()
        except TimeoutError:
            text = f"the message did not arrive within {MESSAGE_TIMEOUT_S:g} s"
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, text)
            raise AssertionError("abort raises") from None
        if message is grpc.aio.EOF:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no message")
            raise AssertionError("abort raises")
        return await answer(message, context)

    return grpc.stream_unary_rpc_method_handler(call)
