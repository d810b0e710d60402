"""Logging of all commands: one line a record on stderr, with a limit for repeated records."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable

from fncast.foreign_text import clean

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
# Enough for a traceback and its error.
MAX_CHARACTERS = 10_000
# Records of one cause that are shown in each period; the others are counted.
MAX_LINES = 50
PERIOD_S = 10.0
# Bounds the memory of the counters.
MAX_CAUSES = 1000


class OneLine(logging.Formatter):
    """Formats a record and its traceback as one line without terminal control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record without changing it: other handlers format it, too."""
        lines = [line.strip() for line in super().format(record).splitlines()]
        record.exc_text = None  # set by the base class, with line breaks
        return clean(" | ".join(filter(None, lines)) if record.exc_info else " ".join(lines), MAX_CHARACTERS)


class RateLimit(logging.Filter):
    """Passes at most MAX_LINES records of one cause in PERIOD_S.

    A cause is a logger, a level and a message template. The next record that passes shows how many were dropped.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._causes: dict[tuple[str, int, str], tuple[float, int]] = {}  # (start of its period, records)

    def __len__(self) -> int:
        """The number of causes that are remembered."""
        return len(self._causes)

    def filter(self, record: logging.LogRecord) -> bool:
        cause = (record.name, record.levelno, str(record.msg)[:200])
        now_s = self._clock()
        began_s, count = self._causes.get(cause, (now_s, 0))
        if now_s - began_s >= PERIOD_S:
            if count > MAX_LINES:
                _add(record, f" ({count - MAX_LINES} similar records before this one were not logged)")
            began_s, count = now_s, 0
        count += 1
        if count == MAX_LINES:
            _add(record, f" (for {PERIOD_S:g} s, similar records are only counted)")
        if len(self._causes) >= MAX_CAUSES and cause not in self._causes:
            self._causes.clear()
        self._causes[cause] = began_s, count
        return count <= MAX_LINES


def _add(record: logging.LogRecord, text: str) -> None:
    """Append `text` to the message of a record."""
    record.msg, record.args = record.getMessage() + text, None


def set_up(level: str) -> None:
    """Log to stderr from `level` on, such as `info`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(FORMAT))
    if level != "debug":
        handler.addFilter(RateLimit())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    threading.excepthook = log_ended_thread


def log_ended_thread(ended: threading.ExceptHookArgs) -> None:
    """Log the error that ended a thread, as one line."""
    if ended.exc_type is SystemExit or ended.exc_value is None:
        return
    name = ended.thread.name if ended.thread else "without a name"
    error = (ended.exc_type, ended.exc_value, ended.exc_traceback)
    logging.getLogger("fncast").critical("the thread %s has ended", name, exc_info=error)
