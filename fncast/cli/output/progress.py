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
    """Called with the finished and the total number of units. Prints both and the elapsed time."""

    def __init__(
        self,
        what: str,
        unit: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """what: the work, such as "classical methods". unit: what is counted. stream: default stderr."""
        self._what, self._unit = what, unit
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._printed = -LINE_EVERY_S
        self._is_bar = self._stream.isatty()

    def __call__(self, done: int, of: int) -> None:
        elapsed = self._clock() - self._began
        text = f"{done}/{of} {self._unit}, {int(elapsed) // 60}:{int(elapsed) % 60:02d}"
        if self._is_bar:
            full = BAR_CELLS * done // max(of, 1)
            bar = "#" * full + "." * (BAR_CELLS - full)
            # Clear the rest of the line.
            self._write(f"\r{self._what} [{bar}] {text}\x1b[K" + ("\n" if done >= of else ""))
        elif done >= of or elapsed - self._printed >= LINE_EVERY_S:
            self._printed = elapsed
            self._write(f"{self._what}: {text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
