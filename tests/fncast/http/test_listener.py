"""Listening sockets leave file descriptors for the rest of their process."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from fncast.failure import Failure
from fncast.http.listener import bind, max_connections
from tests.fncast.http.connections import rest_of
from tests.running_command import RunningCommand
from tests.waiting import eventually, eventually_async


@pytest.mark.integration
def test_a_process_survives_more_connections_than_it_may_open_files(tmp_path: Path) -> None:
    """It logs only few lines about it."""
    program = ("bash", "-c", 'ulimit -n 200; exec "$@"', "-", sys.executable, "-m", "fncast")
    words = ("model-service", "--models", tmp_path, "--wait", "--port", 0)
    with closing(RunningCommand(*words, program=program)) as running:
        port = int(running.url.rpartition(":")[2])
        with ExitStack() as stack:
            for _ in range(400):
                stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), 20)))
            kept = socket.create_connection(("127.0.0.1", port), 20)
            assert rest_of(stack.enter_context(closing(kept)))[:12] in (b"HTTP/1.1 503", b"")
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nconnection: close\r\n\r\n"

        def answers() -> bool:
            with closing(socket.create_connection(("127.0.0.1", port), 20)) as connection:
                try:
                    connection.sendall(request)
                except ConnectionError:
                    return False
                return rest_of(connection).startswith(b"HTTP/1.1 200 ")

        eventually(answers)
        running.stop()
    assert 1 <= len(running.lines[1:]) <= 120, running.lines[:5]


async def test_a_listener_pauses_when_no_file_descriptor_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = bind("127.0.0.1", 0)
    calls = 0

    def none_left(self: Any) -> Any:
        nonlocal calls
        calls += 1
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket.socket, "accept", none_left)
    logged: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: logged.append(context))
    listener.setblocking(False)
    running = await loop.create_server(asyncio.Protocol, sock=listener, backlog=1024)
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
    await eventually_async(lambda: calls >= 3)
    assert len(logged) <= 3
    client.close()
    running.close()


def test_a_port_in_use_is_named_with_the_flag_that_sets_it() -> None:
    with closing(bind("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(
            Failure, match=f"port {port} on 127.0.0.1 is in use; choose another with --grpc-port"
        ):
            bind("127.0.0.1", port, "--grpc-port")


def test_an_address_of_another_machine_is_a_failure() -> None:
    with pytest.raises(Failure, match=r"cannot listen on 192\.0\.2\.1:0: "):
        bind("192.0.2.1", 0)


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_a_host_that_cannot_be_a_name_is_a_failure(host: str) -> None:
    with pytest.raises(Failure, match=f"cannot listen on {host}:0: "):
        bind(host, 0)


@pytest.mark.parametrize(("files", "connections"), [(100_000, 1000), (1024, 256), (16, 8)])
def test_most_file_descriptors_are_left_for_the_process(files: int, connections: int) -> None:
    assert max_connections(files) == connections


def test_connections_beyond_the_limit_are_closed_until_others_end() -> None:
    with closing(bind("127.0.0.1", 0)) as listener, ExitStack() as opened:
        listener.limit = 2
        accepted = []
        for _ in range(2):
            opened.enter_context(closing(socket.create_connection(listener.getsockname(), 20)))
            accepted.append(opened.enter_context(closing(listener.accept()[0])))
        rejected = opened.enter_context(closing(socket.create_connection(listener.getsockname(), 20)))
        with pytest.raises(BlockingIOError):
            listener.accept()
        assert rejected.recv(1) == b""
        accepted[0].close()
        opened.enter_context(closing(socket.create_connection(listener.getsockname(), 20)))
        opened.enter_context(closing(listener.accept()[0]))
