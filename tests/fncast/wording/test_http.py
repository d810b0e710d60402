"""Texts of errors from real connections that fail."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from fncast.wording.http import describe


async def failure(url: str) -> str:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        with pytest.raises((aiohttp.ClientError, OSError)) as raised:
            async with session.get(url) as response:
                await response.read()
    return describe(raised.value)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "it closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "its answer is not HTTP: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "its answer breaks off"),
    ],
)
async def test_a_bad_answer_is_described(answer: bytes, text: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    shown = await failure(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/?code=S3CRET")
    assert shown.startswith(text)
    assert "S3CRET" not in shown
    assert shown.isprintable()
    server.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_closed_port_refuses_the_connection(unused_tcp_port: int, host: str) -> None:
    assert await failure(f"http://{host}:{unused_tcp_port}/") == "the connection is refused"


async def test_an_unknown_host_name_is_named_as_such() -> None:
    assert await failure("http://no.such.host.invalid/") == "its host name is unknown"


async def test_plain_http_where_tls_is_expected() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    shown = await failure(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert shown == "no TLS connection: it does not speak TLS"
    server.close()


@pytest.mark.parametrize(
    "error",
    [
        OSError(113, "No route to host"),
        OSError("Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 1), [Errno 111] …"),
        aiohttp.InvalidURL("http://u:S3CRET@x"),
        ValueError(),
        TimeoutError(),
    ],
)
def test_internals_of_the_library_are_not_shown(error: Exception) -> None:
    shown = describe(error)
    assert shown
    assert not [mark for mark in ("ssl:default", "Errno", "S3CRET", "Connect call") if mark in shown]
