"""The gRPC server: starts and stops, and restarts a server that terminates. grpc_service.py has its methods."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from fncast.http.listener import max_connections, raise_file_limit
from model_service.protocols.open_inference.grpc_limits import OPTIONS
from model_service.protocols.open_inference.grpc_service import InferenceService
from model_service.serving.repository import Models
from model_service.serving.request_body import MAX_BODY_BYTES
from model_service.serving.request_queue import MAX_WAITING_REQUESTS

log = logging.getLogger(__name__)

# Time for running calls to finish when the server stops.
GRACE_S = 1.0
# A server that terminated unexpectedly is restarted after RESTART_S. The delay doubles up to MAX_RESTART_S.
RESTART_S, MAX_RESTART_S = 1.0, 30.0


@dataclass(frozen=True)
class Credentials:
    """How a server identifies itself and its callers.

    certificate, key: PEM, both or neither. token: expected as `authorization: Bearer …`; empty for no check.
    """

    certificate: bytes = b""
    key: bytes = b""
    token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(certificate={'set' if self.certificate else 'none'})"


class GrpcServer:
    """Serves the same models as the HTTP server. Start and stop it in the event loop of that server."""

    def __init__(
        self,
        models: Models,
        host: str,
        port: int,
        credentials: Credentials = Credentials(),
        reserved: socket.socket | None = None,
    ) -> None:
        """reserved: a socket bound to the port, so that no other process can take it; closed by `start`."""
        self._reserved = reserved
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._credentials = credentials
        self._service = InferenceService(models, credentials.token)
        self._server: Any = None
        self._supervisor: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the server. Raises OSError if it cannot listen on the port."""
        self._server = await self._start_server()
        self._supervisor = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Stop the server; running calls get GRACE_S seconds."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        if self._server is not None:
            await self._server.stop(GRACE_S)

    async def _supervise(self) -> None:
        """Restart the server whenever it terminates unexpectedly. Runs until cancelled."""
        while True:
            try:
                # Shielded, because `stop` waits for the same future of gRPC, and cancelling this task would cancel it.
                await asyncio.shield(self._server.wait_for_termination())
                log.error("the gRPC server on %s terminated; restarting it", self._address)
            except Exception:
                log.exception("the gRPC server on %s failed; restarting it", self._address)
            self._server = await self._restart_server()

    async def _restart_server(self) -> Any:
        wait_s = RESTART_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                return await self._start_server()
            except Exception as error:
                wait_s = min(2 * wait_s, MAX_RESTART_S)
                log.error("gRPC cannot be restarted: %s; next attempt in %g s", error, wait_s)

    async def _start_server(self) -> Any:
        """Start the server. Raises OSError if it cannot listen on the port."""
        options = [
            ("grpc.so_reuseport", 0),  # otherwise a second process could share the port unnoticed
            ("grpc.max_receive_message_length", MAX_BODY_BYTES),
            ("grpc.max_send_message_length", -1),
            # No compression: the size limit applies before decompression only.
            ("grpc.compression_enabled_algorithms_bitset", 1),
            # Its own bound, so that gRPC leaves descriptors for the HTTP listener.
            ("grpc.max_allowed_incoming_connections", max_connections(raise_file_limit())),
            *OPTIONS,
        ]
        server = grpc.aio.server(options=options, maximum_concurrent_rpcs=MAX_WAITING_REQUESTS)
        server.add_generic_rpc_handlers(self._service.handlers())
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        try:
            if self._credentials.certificate:
                pair = (self._credentials.key, self._credentials.certificate)
                server.add_secure_port(self._address, grpc.ssl_server_credentials([pair]))
            else:
                server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise OSError(f"gRPC cannot listen on {self._address}: {error}") from None
        await server.start()
        return server
