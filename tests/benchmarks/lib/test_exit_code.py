from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from benchmarks.lib import exit_code
from benchmarks.lib.exit_code import INTERRUPTED, interrupt_on_sigterm, run_to_exit_code
from benchmarks.lib.failure import MeasurementFailed
from fncast.demo.process import ProcessFailed
from fncast.failure import Failure


def raising(error: BaseException) -> Callable[[], int]:
    def measure() -> int:
        raise error

    return measure


@pytest.mark.parametrize(
    ("measure", "code", "message"),
    [
        (lambda: 0, 0, ""),
        (raising(MeasurementFailed("no broker answers")), 1, "delay: no broker answers\n"),
        (raising(ProcessFailed("consumer ended")), 1, "delay: consumer ended\n"),
        (raising(Failure("models: cannot be read")), 1, "delay: models: cannot be read\n"),
        (raising(KeyboardInterrupt()), INTERRUPTED, "delay: interrupted\n"),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(
    measure: Callable[[], int],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(exit_code, "interrupt_on_sigterm", lambda: None)
    assert run_to_exit_code("delay", measure) == code
    assert capsys.readouterr().err == message


def test_a_second_sigterm_does_not_interrupt_the_removal() -> None:
    """A supervisor may signal a process and its group."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        interrupt_on_sigterm()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
