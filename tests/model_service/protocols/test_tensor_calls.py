"""The messages of tensor calls: what is written is read, and any other bytes have a reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model_service.protocols.graphpipe import InferRequest, InvalidMessage, decode_request, encode_request
from model_service.protocols.tensor_calls import (
    ForecastRows,
    decode_forecasts,
    decode_windows,
    encode_forecasts,
    encode_windows,
    parse_levels,
    window_rows,
)

READINGS = arrays(np.float64, st.integers(0, 5), elements=st.floats(-1e6, 1e6) | st.just(math.nan))
LIMITS = st.tuples(st.sampled_from([math.nan, -math.inf, -1e18, 0]), st.sampled_from([math.nan, 0, 5, 1e18]))


def equal(first: object, second: object) -> bool:
    if first is None or second is None:
        return first is second
    return np.array_equal(np.asarray(first), np.asarray(second), equal_nan=True)


@given(st.lists(st.tuples(READINGS, LIMITS), min_size=1, max_size=5))
def test_windows_of_any_length_come_back(windows: list[tuple[np.ndarray, tuple[float, float]]]) -> None:
    low, high = (np.array([limits[which] for _, limits in windows], float) for which in (0, 1))
    sent = window_rows([readings for readings, _ in windows], low, high)
    got = decode_windows(encode_windows(sent))
    assert equal(got.low, low)
    assert equal(got.high, high)
    for row, length, (readings, _) in zip(got.values, got.lengths, windows, strict=True):
        assert length == len(readings)
        assert equal(row[len(row) - length :], readings)


def test_a_row_holds_nothing_before_a_shorter_window() -> None:
    """Another sender may fill the rest of a row with zeros, which must not count as readings."""
    values = np.array([[0.0, 0.0, 7.0, 8.0], [5.0, 6.0, 7.0, 8.0]])
    tensors = (values, np.array([2, 4], np.int32))
    got = decode_windows(encode_request(InferRequest(tensors, ("windows", "lengths"))))
    assert equal(got.values, [[math.nan, math.nan, 7, 8], [5, 6, 7, 8]])
    assert got.lengths.tolist() == [2, 4]


def test_inputs_with_default_values_only_are_left_out() -> None:
    nothing = np.full(2, math.nan)
    request = decode_request(encode_windows(window_rows([np.zeros(3), np.ones(3)], nothing, nothing)))
    assert isinstance(request, InferRequest)
    assert request.input_names == ("windows",)


@given(
    arrays(
        st.sampled_from([np.float32, np.float64]), st.tuples(st.just(3), st.integers(0, 3), st.integers(0, 3))
    ),
    st.lists(st.text(max_size=5), min_size=3, max_size=3),
    st.none() | st.lists(st.integers(0, 9), min_size=3, max_size=3),
    st.none() | arrays(np.float64, 3, elements=st.floats(0, 9) | st.just(math.nan)),
)
def test_forecasts_come_back(
    values: np.ndarray, reasons: list[str], filled: list[int] | None, waits_s: np.ndarray | None
) -> None:
    waits_s = waits_s if filled is not None else None
    got = decode_forecasts(encode_forecasts(ForecastRows(values, reasons, filled, waits_s)), 3)
    assert equal(got.values, values)
    assert got.reasons == [reason.encode("utf-8", "replace").decode() for reason in reasons]
    assert got.filled == filled
    assert equal(got.retry_after_s, waits_s)


def test_a_wait_needs_the_filled_before_it() -> None:
    rows = ForecastRows(np.zeros((1, 0, 0)), ["away"], None, np.array([1.0]))
    with pytest.raises(ValueError, match="filled"):
        encode_forecasts(rows)


@given(st.binary(max_size=80))
def test_other_bytes_have_a_reason(body: bytes) -> None:
    for read in (decode_windows, lambda each: decode_forecasts(each, 2)):
        with pytest.raises(InvalidMessage):
            read(body)


@pytest.mark.parametrize(
    ("text", "levels"), [("0.5", (0.5,)), ("0.1,0.5,0.9", (0.1, 0.5, 0.9)), (" 0.25, 0.75", (0.25, 0.75))]
)
def test_levels_are_numbers(text: str, levels: tuple[float, ...]) -> None:
    assert parse_levels(text) == levels


@pytest.mark.parametrize("text", ["", "x", "0", "1", "nan", "0.5,0.5", "0.1;0.5", ",".join(["0.5"] * 200)])
def test_invalid_levels_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="quantiles"):
        parse_levels(text)
