"""Filters what native libraries write directly to stderr."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

INFO = b"INFO: "  # as TensorFlow Lite writes about its delegates


@contextlib.contextmanager
def without_info_lines() -> Iterator[None]:
    """Drop the INFO lines that native code writes to stderr in this block. All other lines are written at its end.

    Only for commands with one thread: the output of other threads is delayed, too.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            written.seek(0)
            for line in written:
                if not line.startswith(INFO):
                    os.write(2, line)
