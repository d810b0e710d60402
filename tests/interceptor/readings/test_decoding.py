"""The outcome of a record that its format cannot read."""

from __future__ import annotations

import gzip

import pytest

from interceptor.delivery import Record
from interceptor.outcome import DeadLetter
from interceptor.readings.decoding import decode
from interceptor.readings.formats import build_format


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
