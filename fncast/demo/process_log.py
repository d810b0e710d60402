"""The log file of one process of the demo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

MAX_LOG_BYTES = 10_000_000


class ProcessLog:
    """Appends a process's output to a file. Owned by the process's readers, in one event loop.

    A write that fails is reported once and skipped: a reader that stopped would leave its process blocked on the pipe.
    A file of more than MAX_LOG_BYTES is emptied first.
    """

    def __init__(self, path: Path, report: Callable[[str], None]) -> None:
        """report: gets a sentence when writing begins to fail."""
        self._path = path
        self._report = report
        self._file: BinaryIO | None = None
        self._is_failing = False

    def write(self, chunk: bytes) -> None:
        """Append `chunk`. Raises nothing."""
        try:
            if self._file is None:
                # Unbuffered: a buffer would keep what a full disk did not take, and fail again when it is closed.
                self._file = self._path.open("ab", buffering=0)
            if self._file.tell() > MAX_LOG_BYTES:
                self._file.truncate(0)
            while chunk:
                chunk = chunk[self._file.write(chunk) :]
        except OSError as error:
            if not self._is_failing:
                self._report(
                    f"its log {self._path} cannot be written: {error.strerror}. Its output is not kept"
                )
            self._is_failing = True
        else:
            self._is_failing = False

    def close(self) -> None:
        """Close the file. A later `write` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None
