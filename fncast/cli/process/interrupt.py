"""Defers Ctrl-C during work that must not be interrupted."""

from __future__ import annotations

import contextlib
import signal
import sys
from types import TracebackType
from typing import Self


class DeferInterrupt:
    """A context manager. After `begin`, Ctrl-C takes effect at the end of the block, as KeyboardInterrupt.

    message: printed on Ctrl-C to say what the user waits for; empty prints nothing. If SIGINT is ignored or has another
    handler, this class does nothing.
    """

    def __init__(self, message: str = "") -> None:
        self._message = message
        self._has_begun = self._is_interrupted = False

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Defer Ctrl-C from now on."""
        if not self._has_begun and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._defer)
            self._has_begun = True

    def _defer(self, *_: object) -> None:
        self._is_interrupted = True
        if not self._message:
            return
        with contextlib.suppress(RuntimeError):  # raised if the signal interrupts another print
            print(self._message, file=sys.stderr, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_begun:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._is_interrupted and error is None:
            raise KeyboardInterrupt
