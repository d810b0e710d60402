"""Runs an ASGI application until SIGINT or SIGTERM; used by every command that listens."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

from fncast import Failure

# Long answers (a live page's stream) are cut after this, so that Ctrl-C ends a command at once.
GRACEFUL_SHUTDOWN_S = 2
BACKLOG = 1024


def add_listener_arguments(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=port, help="port to listen on (default: %(default)s)")


def bind(host: str, port: int, flag: str = "--port") -> socket.socket:
    """A listening socket. Raises Failure that says what is wrong with the address and how to choose another."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise Failure(f"port {port} on {host} is in use; choose another with {flag}") from None
        raise Failure(f"cannot listen on {host}:{port}: {error}") from None
    return listener


Application = Callable[..., Any]


class Server(uvicorn.Server):
    """uvicorn, but a signal ends it quietly: its own handler raises the signal again once it has shut down."""

    takes_signals = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell an application with streams that never end to end them: uvicorn would wait for them, then cut them."""
        if close_streams := getattr(self.config.app, "close_streams", None):
            close_streams()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if not self.takes_signals:
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def server(app: Application) -> Server:
    """uvicorn for `app`: no access log, logging left to the command line."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        log_level="warning",
        http="httptools",
        ws="none",
        server_header=False,
        proxy_headers=False,  # nobody here asks who called; it is one more layer on every request
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    return Server(config)


def serve(app: Application, host: str, port: int, ready: str) -> int:
    """Serve `app` until a signal ends it; `ready` with the address filled in is printed once the port is bound.

    ready: a sentence with `{url}` in it. Returns the exit code 0. Raises Failure where the port cannot be had.
    """
    listener = bind(host, port)
    bound_host, bound_port = listener.getsockname()[:2]
    print(ready.format(url=f"http://{bound_host}:{bound_port}"), file=sys.stderr, flush=True)
    server(app).run(sockets=[listener])
    return 0
