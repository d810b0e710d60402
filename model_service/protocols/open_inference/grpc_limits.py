"""Time limits and connection limits of the gRPC server.

The host name (`:authority`) is not checked: gRPC for Python does not expose it, and browsers cannot send gRPC calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

# From the start of a call until its message is complete. gRPC does not expose the progress of a message.
MESSAGE_TIMEOUT_S = 60.0
# https://grpc.github.io/grpc/core/group__grpc__arg__keys.html
OPTIONS = [
    ("grpc.server_handshake_timeout_ms", 10_000),  # TLS, and HTTP/2's first frames
    ("grpc.max_concurrent_streams", 128),  # per connection; further calls wait at the client
    ("grpc.max_connection_idle_ms", 300_000),  # a connection without calls is closed after this
    ("grpc.keepalive_time_ms", 60_000),  # detects peers that vanished without closing
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # clients may send keepalive pings, too
]

Respond = Callable[[bytes, Any], Awaitable[bytes]]


def unary_handler(respond: Respond) -> Any:
    """A handler for a method with one request and one response message, both as bytes.

    It is registered as a streaming method. For a unary method gRPC would wait for the message without a time limit
    before it calls the handler.
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
        return await respond(message, context)

    return grpc.stream_unary_rpc_method_handler(call)
