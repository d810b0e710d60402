"""A user's format that breaks the contract costs the record, and no more."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.delivery import Record
from interceptor.outcome import DeadLetter
from interceptor.readings.contract import Decoded, Series
from interceptor.readings.decoding import decode
from interceptor.readings.formats import build_format

RECORD = Record("plant", 0, 0, 5, None, b"1", [])


class Own:
    """A format of a user. results: what it returns."""

    def __init__(self, decoded: Any = None, series: Any = None) -> None:
        self.results = decoded, series

    def decode(self, value: bytes, key: object, headers: object, timestamp_ms: int) -> Any:
        return self.results[0]

    def series(self, key: object) -> Any:
        return self.results[1]


@pytest.fixture(autouse=True)
def plant_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plant_formats", sys.modules[__name__])


@pytest.mark.parametrize(
    ("decoded", "reason"),
    [
        (None, "returned NoneType, not Decoded"),
        (Decoded(["a"], [1], []), "returned 1 keys, 1 times and 0 values"),
        (Decoded([["a"]], [1], [1.0]), "a key that cannot be hashed, of the type list"),
        (Decoded([("a", [])], [1], [1.0]), "a key that cannot be hashed, of the type tuple"),
        (Decoded(["a"], [1.5], [1.0]), "a time that is not an integer of nanoseconds"),  # type: ignore[list-item]
        (Decoded(["a"], [-1], [1.0]), "a time that is not an integer of nanoseconds"),
        (Decoded(["a"], [2**63], [1.0]), "a time that is not an integer of nanoseconds"),
        (Decoded(["a"], [1], ["1"]), "a value of the type str, not a number"),  # type: ignore[list-item]
    ],
)
def test_a_result_that_breaks_the_contract_is_a_dead_letter(decoded: Any, reason: str) -> None:
    outcome = decode(build_format("plant_formats:Own", {"decoded": decoded}), RECORD)
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason.startswith("the format plant_formats:Own returned")
    assert reason in outcome.reason


@pytest.mark.parametrize(
    "series",
    [None, "cpu", Series(1, {}), Series("cpu", {}, None), Series("", {}), Series("x" * 1025, {})],  # type: ignore[arg-type]
)
def test_a_key_without_a_valid_series_counts_as_one_without_a_name(series: Any) -> None:
    format_ = build_format("plant_formats:Own", {"decoded": Decoded(["a"], [1], [1.0]), "series": series})
    windows = PartitionWindows(format_, Rules(), "plant")
    found = decode(format_, RECORD)
    assert isinstance(found, Decoded)
    assert windows.add(found, 5, 0) == []
    assert windows.outcomes == {"no-series": 1}


def test_a_valid_result_passes_unchanged() -> None:
    decoded, series = Decoded(["a"], [1], [1.0]), Series("cpu", {})
    format_ = build_format("plant_formats:Own", {"decoded": decoded, "series": series})
    assert decode(format_, RECORD) is decoded
    assert format_.series("a") is series
