"""Errors of the interceptors: their texts are clean and bounded."""

from __future__ import annotations

import pytest

from interceptor.errors import MAX_CHARACTERS, InvalidEvent, Rejected, RetriableError


@pytest.mark.parametrize("error", [InvalidEvent, RetriableError, lambda reason: Rejected(reason, 400)])
@pytest.mark.parametrize(
    "reason", ["\x1b[2Jforged\r\n2026-01-01 INFO", "a\u202eb", "x" * 10 * MAX_CHARACTERS]
)
def test_a_foreign_text_becomes_one_bounded_line(error: type[Exception], reason: str) -> None:
    text = str(error(reason))
    assert text.isprintable()
    assert 0 < len(text) <= MAX_CHARACTERS


def test_a_failed_call_was_sent_unless_it_says_otherwise() -> None:
    assert RetriableError("502").is_sent
    assert not RetriableError("rejected", is_sent=False).is_sent


def test_status_and_wait_of_a_failed_call_are_kept() -> None:
    failed = RetriableError("503", 2.5, code=503)
    assert (failed.retry_after_s, failed.code) == (2.5, 503)
    assert Rejected("413", 413).code == 413
