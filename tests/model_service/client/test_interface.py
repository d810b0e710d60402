"""What all clients share: limits, errors and the check of a forecast."""

from __future__ import annotations

import numpy as np
import pytest

from model_service.client import GraphPipeClient, InvalidShape, ModelError, ModelUnavailable
from model_service.client.interface import MAX_REASON, checked_forecast, model_error, one_line, retry_after_s
from tests.model_service.client.fake_server import (
    WINDOWS,
    FakeServer,
)


@pytest.mark.parametrize(("header", "seconds"), [("soon", 1.0), ("-3", 0.0), ("1e9", 60.0), ("nan", 1.0)])
def test_retry_after_is_limited(
    server: FakeServer, client: GraphPipeClient, header: str, seconds: float
) -> None:
    server.reply = lambda body: (503, {"Retry-After": header}, b"")
    with pytest.raises(ModelUnavailable) as raised:
        client.infer(WINDOWS)
    assert raised.value.retry_after_s == seconds


URL = "http://h:1"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 1.0), ("", 1.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0), ("0", 0.0), ("2.5", 2.5), ("61", 60.0)],
)
def test_the_wait_before_a_retry_has_a_default_and_a_limit(header: str | None, seconds: float) -> None:
    assert retry_after_s(header) == seconds


def test_a_text_of_a_server_becomes_one_short_line() -> None:
    text = one_line("a\r\n2026-01-01 INFO  forged\x1b[2J " + "x" * 10_000)
    assert text.startswith("a 2026-01-01 INFO forged")
    assert text.isprintable()
    assert len(text) <= MAX_REASON


@pytest.mark.parametrize("text", ["wrong Shape [2 3]", "expected rank 3", "model has no input 'x'"])
def test_a_rejection_that_names_the_shape_means_that_the_windows_do_not_fit(text: str) -> None:
    assert type(model_error(text)) is InvalidShape


def test_another_rejection_is_permanent_unless_the_server_says_that_the_windows_do_not_fit() -> None:
    assert type(model_error("no such output")) is ModelError
    assert type(model_error("no such output", does_not_fit=True)) is InvalidShape


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 9), (2, 0)])
def test_floats_with_a_row_for_each_window_are_a_forecast(shape: tuple[int, ...]) -> None:
    outputs = np.zeros(shape, np.float64)
    assert checked_forecast(URL, [outputs, np.zeros(1)], 2) is outputs


@pytest.mark.parametrize(
    ("outputs", "received"),
    [
        ([], "no tensor"),
        ([np.zeros((3, 4), np.float32)], r"float32 \[3, 4\]"),
        ([np.zeros(2, np.float32)], r"float32 \[2\]"),
        ([np.zeros((2, 4), np.int64)], r"int64 \[2, 4\]"),
    ],
)
def test_other_tensors_are_not_a_forecast(outputs: list[np.ndarray], received: str) -> None:
    with pytest.raises(ModelUnavailable, match=f"{URL} returned {received} for 2 windows"):
        checked_forecast(URL, outputs, 2)
