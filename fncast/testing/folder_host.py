"""Runs folders of Fn functions behind Fn's API, in the event loop of a test. It needs the extra `functions`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from fncast.http.listener import bind
from fncast.http.server import build_server
from functions.host.app import FunctionHost
from functions.host.folder import read_folder

APP = "fncast"
HOST = "127.0.0.1"
STEP_S = 0.01


class FolderHost:
    """The function host on a free port of this machine. Used in one event loop.

    names: of the functions, from their func.yaml, in the order of the folders. Raises InvalidFunction.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        read = [read_folder(path) for path in folders]
        self.names = [folder.name for folder in read]
        self._server = build_server(FunctionHost(read, os.environ, app=APP, processes=1))
        self._server.takes_signals = False
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start the host and its functions. Returns the URL of its API."""
        listener = bind(HOST, 0)
        port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._serving.done():
                self._serving.result()
            await asyncio.sleep(STEP_S)
        return f"http://{HOST}:{port}"

    async def stop(self) -> None:
        """End the functions' processes and the server."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait({self._serving})
