"""A process that gets faults and is restarted, as a supervisor would do."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
# Long enough for another consumer to take over, and for the broker to abort an open transaction.
GONE_S = 45.0
FREEZE_S = 14.0  # longer than the session and the transaction, 10 s each
SHOWN_CHARACTERS = 600
ANSWER_S = 5.0


def log_line(sentence: str) -> None:
    """Write a line with the time to stderr."""
    print(f"{datetime.now(UTC):%H:%M:%S.%f}"[:-3], sentence, file=sys.stderr, flush=True)


@dataclass
class SupervisedProcess:
    """One process of a run.

    arguments: of the Python interpreter. port: of its metrics. variables: for its environment.

    stays_away: whether it is away for GONE_S after its next end. ends: its exit codes.
    """

    name: str
    arguments: list[str]
    log: Path
    port: int
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    away_until_s: float = 0.0
    frozen_at_s: float = 0.0
    stays_away: bool = False
    ends: list[int] = field(default_factory=list)
    _is_reported: bool = False
    _log_begins_at: int = 0

    def start(self) -> None:
        self._is_reported = False
        self._log_begins_at = self.log.stat().st_size if self.log.exists() else 0
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FNCAST_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                stderr=log,
                stdout=log,
                env={**inherited, **self.variables},
                cwd=ROOT,
            )

    def supervise(self) -> None:
        """Start the process again if it has ended and its time away is over."""
        if self.process is None or self.process.poll() is None:
            return
        if not self._is_reported:
            self._is_reported = True
            self.ends.append(self.process.returncode)
            if self.stays_away:
                self.stays_away, self.away_until_s = False, time.monotonic() + GONE_S
            if self.process.returncode != -signal.SIGKILL:
                log_line(f"{self.name} ended with {self.process.returncode}: {self.last_lines()}")
        if time.monotonic() >= self.away_until_s:
            self.arguments = without_fault(self.arguments)
            self.start()

    def last_lines(self) -> str:
        return self.log.read_text("utf-8", "replace")[-SHOWN_CHARACTERS:]

    def has_logged(self, text: str) -> bool:
        """Whether the text is in the log since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_begins_at)
            return text.encode() in log.read()

    def counted(self, sample: str) -> int:
        """Return the value of a metric since the last start; 0 if the process does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=ANSWER_S) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        families = text_string_to_metric_families(text)
        return int(
            sum(found.value for family in families for found in family.samples if found.name == sample)
        )

    def kill(self, away_s: float = 0.0) -> None:
        """Kill the process. away_s: the shortest time until its restart."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.away_until_s = time.monotonic() + away_s

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill_a_child(self, rng: random.Random) -> None:
        assert self.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):  # the child has ended, and its parent restarts it
            children = psutil.Process(self.process.pid).children()
            if children:
                rng.choice(children).kill()

    def thaw(self) -> bool:
        """Send SIGCONT to a process that has been stopped for FREEZE_S. Returns whether it was stopped."""
        assert self.process is not None
        try:
            is_stopped = psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            is_stopped = False
        if not is_stopped:
            self.frozen_at_s = 0.0
        elif not self.frozen_at_s:
            self.frozen_at_s = time.monotonic()
            log_line(f"{self.name} is frozen")
        elif time.monotonic() - self.frozen_at_s >= FREEZE_S:
            self.signal(signal.SIGCONT)
        return is_stopped

    def end(self) -> None:
        """Send SIGTERM, and SIGKILL if it has not ended in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            log_line(f"{self.name} did not end within 15 s: {self.last_lines()}")
            self.kill()


def without_fault(arguments: list[str]) -> list[str]:
    """Return the arguments without the fault, for a restart."""
    at = next((at for at, word in enumerate(arguments) if word in ("--crash", "--freeze")), len(arguments))
    return arguments[:at] + arguments[at + 2 :]
