"""How every command logs: one line a record on stderr, and no flood of lines about one cause."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

from fncast.foreign_text import clean

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
# A traceback and its error; more tells nobody anything.
MAX_CHARACTERS = 10_000
# Lines about one cause that are shown in each period; the rest is counted.
MAX_LINES = 50
PERIOD_S = 10.0
# Causes that are counted at the same time.
MAX_CAUSES = 1000


class OneLine(logging.Formatter):
    """Writes a record, its traceback included, as one line that holds nothing that a terminal acts on."""

    def format(self, record: logging.LogRecord) -> str:
        """Leave the record as it was: other handlers format it, too."""
        lines = [line.strip() for line in super().format(record).splitlines()]
        record.exc_text = None  # set by the base class, with line breaks
        return clean(" | ".join(filter(None, lines)) if record.exc_info else " ".join(lines), MAX_CHARACTERS)


class RateLimit(logging.Filter):
    """Lets at most MAX_LINES records of one cause pass in PERIOD_S. A cause is a logger, a level and a text before its
    values are filled in. How many were left out is said with the next one that passes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._causes: dict[tuple[str, int, str], tuple[float, int]] = {}  # (start of its period, records)

    def filter(self, record: logging.LogRecord) -> bool:
        cause = (record.name, record.levelno, str(record.msg)[:200])
        now_s = self._clock()
        began_s, count = self._causes.get(cause, (now_s, 0))
        if now_s - began_s >= PERIOD_S:
            if count > MAX_LINES:
                _add(record, f" ({count - MAX_LINES} more like the last of these were not logged)")
            began_s, count = now_s, 0
        count += 1
        if count == MAX_LINES:
            _add(record, f" (more like this are only counted for {PERIOD_S:g} s)")
        if len(self._causes) >= MAX_CAUSES and cause not in self._causes:
            self._causes.clear()
        self._causes[cause] = began_s, count
        return count <= MAX_LINES


def _add(record: logging.LogRecord, text: str) -> None:
    record.msg, record.args = record.getMessage() + text, None


def set_up(level: str) -> None:
    """Log to stderr from `level` on. level: such as `info`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(FORMAT))
    if level != "debug":
        handler.addFilter(RateLimit())
    logging.basicConfig(level=level.upper(), handlers=[handler])
