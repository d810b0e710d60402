"""How far a long piece of work is, on stderr: a bar in a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

BAR_CELLS = 24
# Between two lines where nobody watches a bar: a log of ten minutes has sixty of them.
LINE_EVERY_S = 10.0


class Progress:
    """Called with how much is done, and of how much; the time shows that it goes on while nothing else changes."""

    def __init__(
        self,
        what: str,
        unit: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """what: is done, such as "classical methods". unit: what is counted. stream: stderr without one."""
        self._what, self._unit = what, unit
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._told = -LINE_EVERY_S
        self._is_bar = self._stream.isatty()

    def __call__(self, done: int, of: int) -> None:
        elapsed = self._clock() - self._began
        told = f"{done}/{of} {self._unit}, {int(elapsed) // 60}:{int(elapsed) % 60:02d}"
        if self._is_bar:
            full = BAR_CELLS * done // max(of, 1)
            bar = "#" * full + "." * (BAR_CELLS - full)
            # The rest of the line is cleared; the cursor waits at its end.
            self._write(f"\r{self._what} [{bar}] {told}\x1b[K" + ("\n" if done >= of else ""))
        elif done >= of or elapsed - self._told >= LINE_EVERY_S:
            self._told = elapsed
            self._write(f"{self._what}: {told}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
