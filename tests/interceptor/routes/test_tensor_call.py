"""Tensor calls from the consumer's side: the request, and which responses are answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.errors import Rejected, RetriableError
from interceptor.outcome import Skipped
from interceptor.routes.route import Route
from interceptor.routes.tensor_call import build_tensor_request
from interceptor.routes.window_event import read_window
from model_service.protocols.graphpipe import (
    ErrorMessage,
    InferResponse,
    encode_infer_response,
)
from model_service.protocols.tensor_calls import (
    ForecastRows,
    decode_windows,
    encode_forecasts,
)
from tests.interceptor.routes.tensor_responses import forecast, settle
from tests.interceptor.routes.window_deliveries import DATA, delivery

URL_ROUTE = Route("other", "http://f.example/", batch=True, encoding="graphpipe")


def test_the_windows_of_a_call_are_one_tensor() -> None:
    deliveries = [
        delivery(),
        delivery({**DATA, "values": [7, None, 9]}),
        delivery({**DATA, "unit": "°C", "max": 30}),
        delivery([5, 6]),
    ]
    assert all(read_window(each) for each in deliveries)
    headers, body = build_tensor_request([each.opened for each in deliveries])
    assert headers.pop("ce-id")
    assert headers == {
        "Content-Type": "application/x-graphpipe",
        "ce-specversion": "1.0",
        "ce-source": "fncast/consumer",
        "ce-type": "io.fncast.windows.v1",
    }
    rows = decode_windows(body)
    assert str(rows.values.tolist()) == (
        "[[1.0, 2.0, 3.0, 4.0], [nan, 7.0, nan, 9.0], [1.0, 2.0, 3.0, 4.0], [nan, nan, 5.0, 6.0]]"
    )
    assert rows.lengths.tolist() == [4, 3, 4, 2]
    assert str(rows.low.tolist()) == "[nan, nan, -inf, nan]"
    assert str(rows.high.tolist()) == "[nan, nan, 30.0, nan]"


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"", {}, "invalid answer: an offset at byte 0"),
        (b"garbage" * 9, {}, "invalid answer: "),
        (
            encode_forecasts(ForecastRows(forecast(2), ["", ""])),
            {},
            r"float64 [2, 2, 3] instead of floats [1, ",
        ),
        (
            encode_forecasts(ForecastRows(forecast(), [""])),
            {"ce_modelname": "\udcff"},  # as aiohttp decodes a byte that is not valid UTF-8
            "invalid answer: the header ce-modelname is not valid UTF-8",
        ),
        (encode_forecasts(ForecastRows(forecast()[0], [""])), {}, "float64 [2, 3] instead of floats [1, "),
        (encode_infer_response(InferResponse((forecast(),))), {}, "1 tensors instead of forecast, reasons"),
        (
            encode_forecasts(ForecastRows(forecast(), ["", ""])),
            {},
            "reasons is object [2] instead of [1] strings",
        ),
        (encode_infer_response(InferResponse((forecast(), np.zeros(1)))), {}, "reasons is float64 [1]"),
        (encode_forecasts(ForecastRows(forecast(), [""], [1, 2])), {}, "filled must be [1] integers"),
        (
            encode_forecasts(ForecastRows(forecast().astype(np.int32), [""])),  # type: ignore[arg-type]
            {},
            "int32 [1, 2, 3] instead of floats",
        ),
        (
            encode_forecasts(ForecastRows(np.zeros((1, 700_000, 3), np.float32), [""])),
            {},
            "2100000 numbers; at most 2000000",
        ),
        (
            encode_forecasts(ForecastRows(forecast(), [""])),
            {"ce_quantiles": ""},
            "quantiles '' are not numbers such as",
        ),
        (encode_forecasts(ForecastRows(forecast(), [""])), {"ce_quantiles": "0.5"}, "3 quantiles, and ce-"),
        (encode_forecasts(ForecastRows(forecast(), [""])), {"ce_quantiles": "1,2,3"}, "between 0 and 1"),
        (
            encode_forecasts(ForecastRows(forecast(), [""])),
            {"ce_type": "x"},
            "a tensor of the type 'x' instead",
        ),
        (encode_forecasts(ForecastRows(forecast(), [""])), {"ce_source": ""}, "ce-source is missing"),
        (
            encode_infer_response(InferResponse((), (ErrorMessage(3, "no model"),))),
            {},
            "the function reports an error: no model",
        ),
        (b"[]", {"Content_Type": "application/cloudevents-batch+json"}, 'set encoding = "json"'),
        (b"{", {"Content_Type": "application/json"}, "invalid answer"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_retried(
    body: bytes, headers: dict[str, str], error: str
) -> None:
    with pytest.raises(RetriableError) as caught:
        settle([delivery()], body, **headers)
    assert error in str(caught.value)


def test_a_status_has_the_same_meaning_as_for_json() -> None:
    assert settle([delivery(route=URL_ROUTE)], b"", 204, Content_Type="") == [Skipped("no event to publish")]
    with pytest.raises(Rejected, match="413"):
        settle([delivery()], b"{}", 413, Content_Type="application/json")
    with pytest.raises(RetriableError, match="415"):  # a function that takes no tensors rejects all of them
        settle([delivery(route=URL_ROUTE)], b"", 415, Content_Type="text/plain")
    with pytest.raises(RetriableError, match="502"):
        settle([delivery()], encode_forecasts(ForecastRows(forecast(), [""])), 502)


@given(st.binary(max_size=100), st.integers(0, 400), st.integers(0, 255))
def test_no_answer_raises_anything_else(noise: bytes, place: int, byte: int) -> None:
    body = bytearray(
        encode_forecasts(ForecastRows(forecast(2), ["", "bad"], [0, 0], np.array([1.0, np.nan])))
    )
    body[place % len(body)] = byte
    for each in (noise, bytes(body)):
        try:
            results = settle([delivery(), delivery()], each)
        except RetriableError:
            continue
        assert len(results) == 2
