"""A command of fncast that runs as a process during a test."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_S = 120.0  # the first start imports much, on a machine that other tests share
END_S = 20.0


class RunningCommand:
    """A process whose standard error is read all the time, so that the process never waits for a reader.

    Close it in a fixture or a `with closing(...)`: then it ends even if the test fails. lines: standard error so far.
    """

    def __init__(
        self,
        *words: object,
        program: Sequence[str] = (sys.executable, "-m", "fncast"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """words: appended to `program`. environment: the whole environment of the process; None: that of the test."""
        self.lines: list[str] = []
        self._has_ended = False
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [*program, *map(str, words)],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    @property
    def url(self) -> str:
        """The first URL that the command prints: where it listens."""
        found = re.search(r"https?://[\d.]+:\d+", self.wait_for("://127.0.0.1:"))
        assert found is not None
        return found[0]

    def wait_for(self, text: str) -> str:
        """The first line that contains `text`. Raises AssertionError if the command ends without it or START_S pass."""

        def found() -> str | None:
            return next((line for line in self.lines if text in line), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._has_ended, START_S)
            line = found()
        assert line is not None, f"{text!r} is not in {self.lines}"
        return line

    def stop(self, number: int = signal.SIGTERM, within_s: float = END_S) -> int:
        """Send a signal, and wait until the process ends and all its lines are read. Returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(within_s)
        self._reader.join(END_S)
        return code

    def close(self) -> None:
        """Kill the process if it runs."""
        self.process.kill()
        self.process.wait(END_S)
        self._reader.join(END_S)
        if not self._reader.is_alive() and self.process.stderr is not None:
            self.process.stderr.close()
