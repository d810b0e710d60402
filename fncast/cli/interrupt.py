"""Ctrl-C while something is done that must not be lost halfway."""

from __future__ import annotations

import contextlib
import signal
import sys
from types import TracebackType
from typing import Self


class DeferInterrupt:
    """From `begin` on Ctrl-C is put off until the end of the block, which then raises KeyboardInterrupt.

    Whoever presses it is told of `what` goes on, unless it is empty. Where SIGINT is ignored, or another's to handle,
    nothing changes."""

    def __init__(self, what: str = "") -> None:
        self._what = what
        self._begun = self._asked = False

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        if not self._begun and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._put_off)
            self._begun = True

    def _put_off(self, *_: object) -> None:
        self._asked = True
        if not self._what:
            return
        with contextlib.suppress(RuntimeError):  # raised where the signal came in the middle of another print
            print(self._what, file=sys.stderr, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._begun:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._asked and error is None:
            raise KeyboardInterrupt
