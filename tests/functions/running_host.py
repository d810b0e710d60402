"""A function host in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fncast.http.listener import bind
from fncast.http.server import build_server
from functions.host.app import FunctionHost
from functions.host.folder import FunctionFolder

STOP_S = 30


@contextmanager
def running_host(folder: FunctionFolder, config: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of a host with one process of a function, in the app `fncast`."""
    listener = bind("127.0.0.1", 0)
    server = build_server(FunctionHost([folder], {}, config, processes=1))
    server.takes_signals = False  # only the main thread gets signals
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield "http://{}:{}".format(*listener.getsockname())
    finally:
        server.should_exit = True
        thread.join(STOP_S)
        assert not thread.is_alive()
