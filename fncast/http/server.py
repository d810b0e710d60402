"""Runs an ASGI application until SIGINT or SIGTERM. Every command that listens uses it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

from fncast.failure import Failure
from fncast.http.cross_origin import CrossOriginProtection, is_loopback
from fncast.http.guard import Guard
from fncast.http.listener import BACKLOG, Listener, bind, max_connections, raise_file_limit
from fncast.http.protocol import HEADER_TIMEOUT_S, KEEP_ALIVE_S, BoundedProtocol
from fncast.http.security import OPEN, Security

log = logging.getLogger(__name__)

# Responses that take longer, such as a page's event stream, are cut, so that Ctrl-C ends a command at once.
GRACEFUL_SHUTDOWN_S = 2
TICKS_A_SECOND = 10  # of uvicorn's main loop

Application = Callable[..., Any]


class Server(uvicorn.Server):
    """A uvicorn server for sockets that are already bound.

    It owns the connections and checks them once a second. A signal ends it quietly: uvicorn's own handler raises the
    signal again after the shutdown.
    """

    takes_signals = True
    """Whether SIGINT and SIGTERM end the server."""
    ready = ""
    """A line for stderr once the application has started, or empty."""

    def __init__(self, config: uvicorn.Config, cross_origin: CrossOriginProtection) -> None:
        super().__init__(config)
        self._cross_origin = cross_origin

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen. As uvicorn's, with a timeout for TLS handshakes, which uvicorn lacks.

        Raises Failure if the application does not start. uvicorn would end the process.
        """
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise Failure("the service could not start; the lines above say why")
        config = self.config
        limit = max_connections(raise_file_limit())
        loop = asyncio.get_running_loop()

        def protocol() -> BoundedProtocol:
            return BoundedProtocol(config, self.server_state, self.lifespan.state, loop, limit)

        self.servers = []
        for listener in sockets or []:
            if isinstance(listener, Listener):
                listener.limit = 2 * limit
            handshake_s = HEADER_TIMEOUT_S if config.ssl else None
            self.servers.append(
                await loop.create_server(
                    protocol,
                    sock=listener,
                    ssl=config.ssl,
                    ssl_handshake_timeout=handshake_s,
                    backlog=BACKLOG,
                )
            )
        self._cross_origin.is_on_loopback = all(
            is_loopback(str(listener.getsockname()[0])) for listener in sockets or []
        )
        self.started = True
        if self.ready:
            print(self.ready, file=sys.stderr, flush=True)

    async def on_tick(self, counter: int) -> bool:
        """Check the connections once a second."""
        if counter % TICKS_A_SECOND == 0:
            now_s = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.check(now_s)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ask the application to end its streams first: uvicorn would wait for them, then cut them."""
        if close_streams := getattr(self.config.app, "close_streams", None):
            close_streams()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Shut down on SIGINT and SIGTERM if `takes_signals`."""
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


def build_server(app: Application, security: Security = OPEN, guard: type[Guard] = Guard) -> Server:
    """A server for `app` without an access log; the command line sets up logging.

    guard: the middleware that checks the token. It is used only if `security` has a token.
    """
    guarded = guard(app, security.token) if security.token else app
    cross_origin = CrossOriginProtection(guarded, security.allowed_hosts)
    config = uvicorn.Config(
        cross_origin,
        log_config=None,
        access_log=False,
        log_level="warning",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",  # "auto" would serve on without an application that could not start
        server_header=False,
        proxy_headers=False,  # no application here reads the client's address
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        ssl_certfile=security.certificate,
        ssl_keyfile=security.key,
    )
    return Server(config, cross_origin)


def serve(
    app: Application,
    host: str,
    port: int,
    ready: str,
    security: Security = OPEN,
    guard: type[Guard] = Guard,
) -> int:
    """Serve `app` until a signal ends it.

    ready: a sentence with `{url}` in it, printed on stderr once the application has started. guard: as in
    `build_server`. Returns the exit code 0. Raises Failure if the port cannot be bound, the application does not start,
    or the listener stops.
    """
    listener = bind(host, port)
    bound_host, bound_port = listener.getsockname()[:2]
    server = build_server(app, security, guard)
    server.ready = ready.format(url=f"{security.scheme}://{bound_host}:{bound_port}")
    try:
        server.run(sockets=[listener])
    except Failure:
        raise
    except Exception as error:
        log.exception("the listener has stopped because of an error in its code")
        raise Failure(f"the listener has stopped: {type(error).__name__}: {error}") from None
    return 0
