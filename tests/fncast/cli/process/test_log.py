"""Log records: one line each, and a limit for records of one cause."""

import logging
import threading

import pytest

from fncast.cli.process.log import (
    FORMAT,
    MAX_CHARACTERS,
    MAX_LINES,
    PERIOD_S,
    OneLine,
    RateLimit,
    log_ended_thread,
)

FORGED = "\x1b[2J\x1b[31m no\r\n2026-01-01 00:00:00,000 INFO    fncast: forged line\u2028\u202e"


def record(text: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    about = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("a.logger", logging.WARNING, "file", 1, text, values or None, about)


def lines_of(shown: str) -> list[str]:
    assert "\x1b" not in shown
    assert shown.isprintable()
    return shown.splitlines()


@pytest.mark.parametrize("text", ["%s", "function f failed: %s"])
def test_foreign_text_cannot_forge_a_line(text: str) -> None:
    (line,) = lines_of(OneLine(FORMAT).format(record(text, FORGED)))
    assert "WARNING a.logger: " in line
    assert "forged line" in line


def test_a_traceback_and_its_error_are_on_the_same_line() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError as error:
        logged = record("it broke", error=error)
    (line,) = lines_of(OneLine(FORMAT).format(logged))
    assert "it broke | Traceback (most recent call last): | File " in line
    assert "ValueError: " in line
    assert OneLine(FORMAT).format(logged) == line


def test_a_line_is_bounded() -> None:
    assert len(OneLine(FORMAT).format(record("%s", "x" * 1_000_000))) == MAX_CHARACTERS


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_flood_of_one_cause_is_counted_and_others_pass() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    flood = [record("rejected %d", number) for number in range(120_000)]
    passed = [each for each in flood if limit.filter(each)]
    assert len(passed) == MAX_LINES
    assert passed[-1].getMessage() == f"rejected {MAX_LINES - 1} (for 10 s, similar records are only counted)"
    assert limit.filter(record("another cause"))
    clock.now_s = PERIOD_S
    later = record("rejected %d", 7)
    assert limit.filter(later)
    dropped = 120_000 - MAX_LINES
    assert later.getMessage() == f"rejected 7 ({dropped} similar records before this one were not logged)"


def test_the_end_of_a_thread_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", log_ended_thread)

    def fail() -> None:
        raise ValueError(FORGED)

    thread = threading.Thread(target=fail, name="reader")
    thread.start()
    thread.join()
    (logged,) = caplog.records
    (line,) = lines_of(OneLine(FORMAT).format(logged))
    assert "CRITICAL fncast: the thread reader has ended | Traceback" in line


def test_causes_are_bounded() -> None:
    limit = RateLimit(Clock())
    for number in range(3000):
        assert limit.filter(record(f"text {number}"))
    assert len(limit) <= 1000
