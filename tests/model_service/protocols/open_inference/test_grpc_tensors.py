"""Tensors of gRPC: typed and raw contents, and inputs that do not fit."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2

from model_service.protocols.open_inference import grpc_tensors
from tests.model_service.protocols.open_inference.grpc_calls import (
    FORECAST,
    RAW,
    TEXTS,
    WINDOWS,
    typed,
)


def test_typed_inputs_get_typed_outputs(stub: Any) -> None:
    windows = typed("windows", "FP32", [2, 6], fp32_contents=WINDOWS.ravel().tolist())
    answer = stub.ModelInfer(service_pb2.ModelInferRequest(model_name="forecast", inputs=[windows]))
    np.testing.assert_allclose(answer.outputs[0].contents.fp32_contents, FORECAST.ravel())
    assert not answer.raw_output_contents
    words = [
        typed("numbers", "INT32", [3], int_contents=[1, -2, 3]),
        typed("texts", "BYTES", [3], bytes_contents=TEXTS.tolist()),
    ]
    answer = stub.ModelInfer(service_pb2.ModelInferRequest(model_name="words", inputs=words))
    doubled, lengths, texts = (output.contents for output in answer.outputs)
    assert list(doubled.int_contents) == [2, -4, 6]
    assert list(lengths.int64_contents) == [3, 0, 6]
    assert list(texts.bytes_contents) == TEXTS.tolist()


@pytest.mark.parametrize(
    ("inputs", "raw", "code", "reason"),
    [
        ([RAW], [WINDOWS.tobytes()[:-1]], "INVALID_ARGUMENT", "needs 48 bytes and has 47"),
        ([RAW], [WINDOWS.tobytes()] * 2, "INVALID_ARGUMENT", "2 raw contents for 1 tensors"),
        (
            [typed("windows", "FP32", [2, 6], fp32_contents=[1])],
            [WINDOWS.tobytes()],
            "INVALID_ARGUMENT",
            "both contents and raw",
        ),
        (
            [typed("windows", "FP32", [2, 6], fp32_contents=[1])],
            [],
            "INVALID_ARGUMENT",
            "12 values and has 1",
        ),
        ([typed("windows", "FP16", [1])], [], "INVALID_ARGUMENT", "only raw contents can hold"),
        ([typed("windows", "INT8", [1], int_contents=[200])], [], "INVALID_ARGUMENT", "beyond INT8"),
        ([typed("windows", "FLOAT", [1])], [], "INVALID_ARGUMENT", "has the datatype 'FLOAT'"),
        ([typed("windows", "FP32", [-1, -12])], [], "INVALID_ARGUMENT", "holds -1"),
        ([typed("windows", "FP32", [1, 5], fp32_contents=[1] * 5)], [], "INVALID_ARGUMENT", "not \\[1, 5\\]"),
        ([typed("x", "FP32", [1, 6], fp32_contents=[1] * 6)], [], "INVALID_ARGUMENT", "has no input 'x'"),
        ([], [], "INVALID_ARGUMENT", "0 tensors"),
    ],
)
def test_inputs_that_do_not_fit_are_rejected_with_the_reason(
    stub: Any, inputs: Any, raw: Any, code: str, reason: str
) -> None:
    request = service_pb2.ModelInferRequest(model_name="forecast", inputs=inputs, raw_input_contents=raw)
    with pytest.raises(grpc.RpcError, match=reason) as raised:
        stub.ModelInfer(request)
    assert raised.value.code().name == code


def test_typed_values_are_limited_and_raw_ones_are_not(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_tensors, "MAX_TYPED_VALUES", 12)
    windows = typed("windows", "FP32", [2, 6], fp32_contents=[1] * 12)
    stub.ModelInfer(service_pb2.ModelInferRequest(model_name="forecast", inputs=[windows]))
    three = typed("windows", "FP32", [3, 6], fp32_contents=[1] * 18)
    with pytest.raises(grpc.RpcError, match="18 typed values; at most 12 are accepted") as raised:
        stub.ModelInfer(service_pb2.ModelInferRequest(model_name="forecast", inputs=[three]))
    assert raised.value.code().name == "INVALID_ARGUMENT"
    raw = service_pb2.ModelInferRequest(
        model_name="forecast", inputs=[RAW], raw_input_contents=[WINDOWS.tobytes()]
    )
    assert stub.ModelInfer(raw).model_version == "2"
