"""Fixtures for formats: decode a record and name the series of its readings."""

from __future__ import annotations

from typing import Any

import pytest

from interceptor.readings.contract import Format

RECORD_MS = 1_700_000_000_000


@pytest.fixture
def readings():
    """decode(format, value) -> {series: [(time_ns, value), ...]} and the skipped readings by reason."""

    def decode(
        format_: Format, value: bytes | str, **record: Any
    ) -> tuple[dict[str, list[Any]], dict[str, int]]:
        raw = value.encode() if isinstance(value, str) else value
        decoded = format_.decode(raw, record.get("key"), record.get("headers", []), RECORD_MS)
        found: dict[str, list[Any]] = {}
        for key, at_ns, number in zip(decoded.keys, decoded.times_ns, decoded.values, strict=True):
            series = format_.series(key)
            assert series is not None
            found.setdefault(series.name, []).append((at_ns, number))
        return found, {reason.value: count for reason, count in decoded.skipped.items()}

    return decode
