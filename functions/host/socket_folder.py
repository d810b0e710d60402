"""Creates the private folder of a function's unix socket."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from functions.host.errors import NotStarted

# In bytes. The path of a unix socket may have 107 bytes on Linux and 103 on macOS.
_MAX_SOCKET_PATH = 100


def create_socket_folder() -> Path:
    """Create a directory for this user only, with a path that is short enough for a unix socket.

    Raises NotStarted.
    """
    parent = "/tmp"
    try:
        found = tempfile.gettempdir()
        if len(os.fsencode(found)) < _MAX_SOCKET_PATH - 30:
            parent = found
        return Path(tempfile.mkdtemp(prefix="fn-", dir=parent))
    except OSError as error:
        # If `tempfile` found no folder, its error lists the candidates but no cause.
        cause = error if error.filename else _mkdir_error(parent := os.environ.get("TMPDIR", "/tmp"))
        raise NotStarted(
            f"functions need a folder for their sockets, but none can be created in {parent}: "
            f"{cause.strerror if cause else 'not writable'}. Set TMPDIR to a writable folder"
        ) from None


def _mkdir_error(folder: str) -> OSError | None:
    """Why no folder can be created in `folder`."""
    try:
        Path(tempfile.mkdtemp(prefix="fn-", dir=folder)).rmdir()
    except OSError as error:
        return error
    return None
