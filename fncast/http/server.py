"""Runs an ASGI application until SIGINT or SIGTERM; used by every command that listens."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import re
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from fncast.failure import Failure
from fncast.http.cross_origin import CrossOriginProtection, is_loopback
from fncast.http.guard import Guard
from fncast.http.listener import Listener, max_connections, raise_file_limit
from fncast.http.port import port as port_number
from fncast.http.protocol import HEADER_TIMEOUT_S, KEEP_ALIVE_S, BoundedProtocol
from interceptor import token as tokens

# Long answers (a live page's stream) are cut after this, so that Ctrl-C ends a command at once.
GRACEFUL_SHUTDOWN_S = 2
BACKLOG = 1024
TICKS_A_SECOND = 10  # of uvicorn's main loop


def add_listener_arguments(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port_number, default=port, help="port to listen on (default: %(default)s)"
    )
    add_security_arguments(parser)


def add_security_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tls-certificate", type=Path, metavar="FILE", help="serve HTTPS with this certificate chain (PEM)"
    )
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key (PEM, no passphrase)")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="let in only who holds the bearer token in this file (/healthz and /readyz stay open)",
    )
    parser.add_argument(
        "--allowed-host",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="accept requests whose Host is this name or address, without a port; may be repeated (default: on a"
        " loopback address only this machine's own names, elsewhere any)",
    )


def _host_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?", text):
        raise argparse.ArgumentTypeError(f"must be a name or an address without a port, not {text[:80]!r}")
    return text


@dataclass(frozen=True)
class Security:
    """How a listener is protected. certificate, key: both or none. token: or empty; never shown. allowed_hosts: names
    in `Host` that are accepted besides this machine's own."""

    certificate: Path | None = None
    key: Path | None = None
    token: str = ""
    allowed_hosts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Security(certificate={self.certificate}, token={'set' if self.token else 'none'})"

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Security:
        """As the flags say. Raises Failure for what cannot be read or does not fit."""
        certificate, key = arguments.tls_certificate, arguments.tls_key
        if (certificate is None) != (key is None):
            raise Failure("--tls-certificate and --tls-key go together")
        if certificate is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
            except (OSError, ssl.SSLError) as error:
                raise Failure(f"--tls-certificate {certificate}, --tls-key {key}: {error}") from None
        token = read_token(arguments.token_file) if arguments.token_file else ""
        return cls(certificate, key, token, tuple(arguments.allowed_host))


def read_token(file: Path) -> str:
    """The token that a file holds. Raises Failure; its text never shows what the file holds."""
    try:
        return tokens.read_token(file)
    except OSError as error:
        raise Failure(f"{file} cannot be read as a token: {error.strerror}") from None
    except ValueError as error:
        raise Failure(str(error)) from None


OPEN = Security()


def bind(host: str, port: int, flag: str = "--port") -> socket.socket:
    """A listening socket. Raises Failure that says what is wrong with the address and how to choose another."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = Listener(family, kind, protocol)
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
    ready = ""
    """Told on stderr once the application has started, if any."""

    def __init__(self, config: uvicorn.Config, cross_origin: CrossOriginProtection) -> None:
        super().__init__(config)
        self._cross_origin = cross_origin

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, for sockets that are bound, and with a time-out for TLS handshakes, which uvicorn has not."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
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
        if counter % TICKS_A_SECOND == 0:
            now_s = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.check(now_s)
        return await super().on_tick(counter)

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


def server(app: Application, security: Security = OPEN, guard: type[Guard] = Guard) -> Server:
    """uvicorn for `app`: no access log, logging left to the command line. guard: asks for the token, if any."""
    guarded = guard(app, security.token) if security.token else app
    cross_origin = CrossOriginProtection(guarded, security.allowed_hosts)
    config = uvicorn.Config(
        cross_origin,
        log_config=None,
        access_log=False,
        log_level="warning",
        http=BoundedProtocol,
        ws="none",
        server_header=False,
        proxy_headers=False,  # nobody here asks who called; it is one more layer on every request
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
    """Serve `app` until a signal ends it; `ready` with the address filled in is printed once it has started.

    ready: a sentence with `{url}` in it. Returns the exit code 0. Raises Failure where the port cannot be had.
    """
    listener = bind(host, port)
    bound_host, bound_port = listener.getsockname()[:2]
    running = server(app, security, guard)
    running.ready = ready.format(url=f"{security.scheme}://{bound_host}:{bound_port}")
    running.run(sockets=[listener])
    if not running.started:
        raise Failure("the service could not start; the line above says why")
    return 0
