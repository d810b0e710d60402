"""Progress of long work on stderr: a bar in a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

BAR_CELLS = 24
# Between two lines if stderr is not a terminal.
LINE_EVERY_S = 10.0


class Progress:
    """Prints the number of finished units, the total and the elapsed time. Call it with both numbers."""

    def __init__(
        self,
        work: str,
        unit: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """work: its name, such as "classical methods". unit: what is counted. stream: default stderr."""
        self._work, self._unit = work, unit
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._printed = -LINE_EVERY_S
        self._is_bar = self._stream.isatty()

    def __call__(self, done: int, total: int) -> None:
        elapsed = self._clock() - self._began
        text = f"{done}/{total} {self._unit}, {int(elapsed) // 60}:{int(elapsed) % 60:02d}"
        if self._is_bar:
            full = BAR_CELLS * done // max(total, 1)
            bar = "#" * full + "." * (BAR_CELLS - full)
            # Clear the rest of the line.
            self._write(f"\r{self._work} [{bar}] {text}\x1b[K" + ("\n" if done >= total else ""))
        elif done >= total or elapsed - self._printed >= LINE_EVERY_S:
            self._printed = elapsed
            self._write(f"{self._work}: {text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
