"""Runs a consumer beside its HTTP listener until a signal, an error, or the end of the listener."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from consumer.errors import ConsumerError
from consumer.service import Service
from fncast.failure import Failure
from fncast.http.security import Security
from fncast.http.server import build_server

# Allocations between two runs of Python's garbage collector. Thousands of events are in flight and hold no cycles:
# frequent runs would only traverse them again and again.
COLLECT_EVERY = 100_000


@dataclass(frozen=True)
class Endpoint:
    """The HTTP listener beside a service. app: its ASGI application. paths: what it answers, for an error."""

    app: Any
    listener: socket.socket
    security: Security
    paths: str


async def run_service(
    name: str,
    service: Service,
    endpoint: Endpoint,
    announcement: str,
    beside: Coroutine[Any, Any, None] | None = None,
) -> int:
    """Run until SIGINT or SIGTERM. Returns the exit code 0. Raises Failure.

    name: of the service in the log. announcement: printed to stderr once the listener runs. beside: a task that ends
    with the service.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, service.stop)
    server = build_server(endpoint.app, endpoint.security)
    server.takes_signals = False
    serving = asyncio.create_task(server.serve(sockets=[endpoint.listener]))
    print(announcement, file=sys.stderr, flush=True)
    running = asyncio.create_task(service.run())
    task = asyncio.create_task(beside) if beside is not None else None
    await asyncio.wait({running, serving}, return_when=asyncio.FIRST_COMPLETED)
    ended = "" if running.done() else _reason(serving)
    service.stop()
    server.should_exit = True
    try:
        await running
    except ConsumerError as error:
        raise Failure(str(error)) from None
    except Exception as error:
        logging.getLogger(f"fncast.{name}").exception("the %s stops because of an unexpected error", name)
        raise Failure(f"{type(error).__name__}: {error}. No unfinished event was committed") from None
    finally:
        if task is not None:
            task.cancel()
        await asyncio.wait({serving})
    if ended:
        raise Failure(f"the listener of {endpoint.paths} has stopped: {ended}")
    return 0


def _reason(ended: asyncio.Task[None]) -> str:
    """Why a task has ended unexpectedly."""
    error = None if ended.cancelled() else ended.exception()
    return f"{type(error).__name__}: {error}" if error is not None else "the reason is unknown"
