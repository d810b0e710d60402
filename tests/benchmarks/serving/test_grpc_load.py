from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest

from benchmarks.serving import grpc_load


async def answer(request: bytes, context: Any) -> bytes:
    if request == b"bad":
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad")
    return request


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A gRPC server that echoes requests and rejects `bad`."""
    server = grpc.aio.server()
    handlers = {"Echo": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.mark.parametrize(("request_body", "failed"), [(b"good", 0), (b"bad", 2)])
async def test_answered_and_failed_calls_are_counted(
    address: str, request_body: bytes, failed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    await grpc_load.main(address, "/test.Service/Echo", request_body, calls=2, seconds=0.1)
    word, answered, taken_us, p50_us, p99_us, counted = capsys.readouterr().out.split()
    assert (word, int(counted)) == ("result", failed)
    assert (int(answered) > 0) is not bool(failed)
    assert int(p50_us) <= int(p99_us) <= int(taken_us)
