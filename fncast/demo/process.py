"""Runs one process: starts it, waits until it is ready, and restarts it when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fncast.demo.process_log import ProcessLog
from fncast.demo.report import Report, ReportLimit

READY_S = 60.0  # the first imports are slow on a slow disk
READY_PROBE_S = 0.05
STEADY_S = 5.0  # a process that ran this long has started successfully
QUICK_ENDS = 4  # failed starts in a row after which the demo gives up
BACKOFF_S = (0.1, 0.5, 1.0)  # before the next start, by the failed starts in a row
TAIL_LINES = 12
READ_BYTES = 65_536
MAX_LINE = 4_000
MAX_SHOWN = 200  # characters of an unusable line to show
# At most this many warnings of one process are shown in a period. Its log has all.
SHOWN_LINES, PERIOD_S = 5, 10.0

# A warning in the command line's log format, or its failure message.
WARNING = re.compile(r"\d{4}-\S+ \S+ (?:WARNING|ERROR|CRITICAL) +(.*)|fncast: (.*)")


class ProcessFailed(Exception):
    """A process cannot be kept running. The message says which one, how it ended, and the end of its log."""


@dataclass(frozen=True)
class Program:
    """What to run.

    ready: polled until it returns True; None means ready once started. output: gets each line of stdout.
    environment: the whole environment; None means that of this process. is_restarted: whether it is started again when
    it ends.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], Awaitable[bool]] | None = None
    output: Callable[[str], None] | None = None
    environment: Mapping[str, str] | None = None
    is_restarted: bool = True


class Process:
    """Runs a program and restarts it. `ready` is set while the program is ready. Use it in one event loop."""

    def __init__(self, program: Program, log_path: Path, report: Report) -> None:
        self.program = program
        self.ready = asyncio.Event()
        self._log_path = log_path
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._ending = asyncio.Event()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._limit = ReportLimit(SHOWN_LINES, PERIOD_S)

    @property
    def name(self) -> str:
        """The name of the program."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The process id; None while it is not running."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def run(self) -> int:
        """Keep the program running until `end` or `kill`; without restarts, until it ends by itself.

        Returns the exit code, or the negative signal number. Raises ProcessFailed.
        """
        quick_ends = 0
        while True:
            started_s = time.monotonic()
            code = await self._run_once()
            if self._ending.is_set() or (code == 0 and not self.program.is_restarted):
                return code
            quick_ends = 1 if time.monotonic() - started_s > STEADY_S else quick_ends + 1
            if not self.program.is_restarted or quick_ends >= QUICK_ENDS:
                times = f" {quick_ends} times in a row" if quick_ends > 1 else ""
                raise ProcessFailed(f"{self.name} {_ended(code)}{times}{self._end_of_log()}")
            self._report(self.name, f"{_ended(code)}; restarting it")
            # Pause. A process that is asked to end meanwhile is not started again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), BACKOFF_S[quick_ends - 1])
                return code

    def end(self) -> None:
        """Ask the process to end, and do not restart it."""
        self._ending.set()
        self._terminate()

    def kill(self) -> None:
        """Kill the process and its children, and do not restart it."""
        self._ending.set()
        if self.pid is not None:
            _kill_group(self.pid)

    async def _run_once(self) -> int:
        """Run the process once. Raises ProcessFailed if it does not become ready."""
        # A separate process group: only the demo gets Ctrl-C from the terminal, and children can be killed together.
        self._process = process = await asyncio.create_subprocess_exec(
            *self.program.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.program.environment,
            process_group=0,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        if self._ending.is_set():
            self._terminate()
        with contextlib.closing(ProcessLog(self._log_path, partial(self._report, self.name))) as log:
            readers = [
                asyncio.create_task(_read_lines(process.stdout, log, self._on_output)),
                asyncio.create_task(_read_lines(process.stderr, log, self._on_error_output)),
            ]
            probe = asyncio.create_task(self._become_ready())
            try:
                await asyncio.wait(
                    [probe, asyncio.ensure_future(process.wait())], return_when="FIRST_COMPLETED"
                )
                if probe.done() and (failure := probe.exception()) is not None:
                    raise failure
                return await process.wait()
            finally:
                self.ready.clear()
                probe.cancel()
                _kill_group(process.pid)
                await process.wait()
                # A grandchild that left the group may hold the pipes open.
                await asyncio.wait(readers, timeout=0.5)
                for reader in readers:
                    reader.cancel()

    async def _become_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while self.program.ready is not None and not await self.program.ready():
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} was not ready within {READY_S:g} s{self._end_of_log()}")
            await asyncio.sleep(READY_PROBE_S)
        self.ready.set()

    def _on_output(self, line: str) -> None:
        """Pass a line of stdout to the program's `output`."""
        self._tail.append(line)
        if self.program.output is None:
            return
        try:
            self.program.output(line)
        except Exception as error:  # keep reading, or the process would block on a full pipe
            self._report(self.name, f"its output has an unusable line ({error!r}): {line[:MAX_SHOWN]}")

    def _on_error_output(self, line: str) -> None:
        """Report a line of stderr if it is a warning or a failure message."""
        self._tail.append(line)
        found = WARNING.fullmatch(line)
        # librdkafka warns about properties for the other kind of client. All parts share one settings file.
        if found is None or self._ending.is_set() or "CONFWARN" in line:
            return
        if self._limit.allows(time.monotonic()):
            self._report(self.name, found[1] or found[2])

    def _end_of_log(self) -> str:
        """The last lines of the log, to follow a message."""
        lines = "".join(f"\n    {line}" for line in self._tail if line.strip())
        return f". The end of its log, {self._log_path}:{lines}" if lines else ". Its log is empty."

    def _terminate(self) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)


def _kill_group(pid: int) -> None:
    """Kill a process with its children. pid: of the process, which is that of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def _read_lines(stream: asyncio.StreamReader, log: ProcessLog, on_line: Callable[[str], None]) -> None:
    """Copy a stream to the log, and call `on_line` with each line, cut at MAX_LINE."""
    rest = b""
    while chunk := await stream.read(READ_BYTES):
        log.write(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:MAX_LINE]
        for line in lines:
            on_line(line[:MAX_LINE].decode("utf-8", "replace").rstrip())
    if rest:
        on_line(rest.decode("utf-8", "replace").rstrip())


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
