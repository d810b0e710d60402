"""The exit code of a benchmark, and how it ends when a user or a supervisor interrupts it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from benchmarks.lib.failure import MeasurementFailed
from fncast.demo.process import ProcessFailed
from fncast.failure import Failure

INTERRUPTED = 130  # the shells' exit code for Ctrl-C


def run_to_exit_code(program: str, measure: Callable[[], int]) -> int:
    """Call `measure`. Returns its exit code, 1 after an expected failure or INTERRUPTED after Ctrl-C or SIGTERM.

    program: the name before the messages.
    """
    interrupt_on_sigterm()
    try:
        return measure()
    except (Failure, MeasurementFailed, ProcessFailed) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED


def interrupt_on_sigterm() -> None:
    """Let the first SIGTERM act like Ctrl-C, so that processes, containers and folders are removed."""

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # another one would interrupt the removal
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
