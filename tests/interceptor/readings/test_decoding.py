"""Decoding a record: readings, or a dead letter with the reason."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from interceptor.delivery import Record
from interceptor.outcome import DeadLetter
from interceptor.readings.contract import Decoded, Series, Skip, UndecodableRecord
from interceptor.readings.decoding import decode, unreadable
from interceptor.readings.formats import build_format

RECORD = Record("metrics", 0, 0, 5, b"key", b"value", [("header", b"1")])


class Own:
    """A format of a user. error: what `decode` raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.arguments: tuple[Any, ...] = ()

    def decode(self, *arguments: Any) -> Decoded:
        self.arguments = arguments
        if self.error is not None:
            raise self.error
        return Decoded(["a"], [1], [0.5])

    def series(self, key: str) -> Series:
        return Series(key, {})


def test_a_format_gets_value_key_headers_and_timestamp_of_the_record() -> None:
    format_ = Own()
    assert decode(format_, RECORD) == Decoded(["a"], [1], [0.5])
    assert format_.arguments == (b"value", b"key", [("header", b"1")], 5)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UndecodableRecord("not JSON"), "not JSON"),
        (KeyError("v"), "its format failed: KeyError: 'v'"),
        (ZeroDivisionError("division by zero"), "its format failed: ZeroDivisionError: division by zero"),
    ],
)
def test_a_record_whose_format_fails_is_a_dead_letter(error: Exception, reason: str) -> None:
    assert decode(Own(error), RECORD) == DeadLetter(reason, kind="undecodable")


@pytest.mark.parametrize("reasons", [[], [Skip.TEXT], [Skip.NOT_A_NUMBER, Skip.STALE]])
def test_a_record_with_only_texts_and_gaps_is_not_a_mistake(reasons: list[Skip]) -> None:
    assert unreadable(Decoded(skipped=dict.fromkeys(reasons, 1))) is None


def test_a_record_without_a_reading_that_can_be_used_is_a_dead_letter() -> None:
    letter = unreadable(Decoded(skipped={Skip.TEXT: 2, Skip.NO_TIME: 1}))
    assert letter == DeadLetter("none of its readings can be read (text: 2, no-time: 1)", kind="undecodable")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "its value is empty"),
        (gzip.compress(b"{}", mtime=0), "its value is compressed with gzip"),
        (b"\x28\xb5\x2f\xfd\x00", "its value is compressed with zstd"),
        (b"cpu", "not JSON: invalid character at byte 1"),
    ],
)
def test_the_reason_names_what_the_bytes_show(value: bytes, reason: str) -> None:
    outcome = decode(build_format("json", {}), Record("t", 0, 0, 0, None, value, []))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason.startswith(reason)
