"""What native libraries write to stderr themselves, past Python."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

NEWS = b"INFO: "  # as TensorFlow Lite tells of its delegates


@contextlib.contextmanager
def without_info_lines() -> Iterator[None]:
    """Lines of news that native code writes meanwhile are dropped, all others come at the end of the block.

    For a command of one thread: what other threads write to stderr would be held up as well."""
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
                if not line.startswith(NEWS):
                    os.write(2, line)
