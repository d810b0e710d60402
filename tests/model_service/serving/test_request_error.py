"""The status and the reason for each error of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model_service.protocols import graphpipe
from model_service.serving.large_requests import MAX_REQUEST_ROWS
from model_service.serving.model import DoesNotFit, UnknownTensor
from model_service.serving.request_error import MAX_REASON_CHARS, RequestError, malformed, to_request_error
from model_service.serving.request_queue import Overloaded, TooManyRows
from model_service.serving.runtimes.runtime import RejectedInput
from tests.model_service.asgi_service import (
    WINDOWS,
    AsgiService,
)


async def test_a_request_of_too_many_windows_must_be_split(service: AsgiService) -> None:
    answer = await service.infer(np.zeros((MAX_REQUEST_ROWS + 1, 6), np.float32))
    assert answer.status == 413
    assert "131073 windows; at most 131072 are accepted, so split it" in answer.errors()[0].message
    answer = await service.infer(np.zeros((MAX_REQUEST_ROWS, 6), np.float32))
    assert len(graphpipe.decode_infer_response(answer.body).output_tensors[0]) == MAX_REQUEST_ROWS


@pytest.mark.parametrize(
    ("raised", "status", "reason"),
    [
        (RejectedInput("index 9 is out of range"), 400, "index 9 is out of range"),
        (RuntimeError("kernel panic"), 500, "forecast/2 failed: RuntimeError: kernel panic"),
        (Overloaded("full"), 503, "full"),
    ],
)
async def test_an_error_of_the_model_has_its_status_and_reason(
    service: AsgiService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    raised: Exception,
    status: int,
    reason: str,
) -> None:
    def fail(_: Any) -> Any:
        raise raised

    monkeypatch.setattr(service.shelf.paths["/"].runtime, "run", fail)
    answer = await service.infer(WINDOWS)
    assert answer.status == status
    assert answer.errors()[0].message == reason
    assert ("kernel panic" in caplog.text) == (status == 500)  # the model's bug, not the client's
    monkeypatch.undo()
    assert (await service.infer(WINDOWS)).status == 200


def test_a_long_reason_is_cut() -> None:
    assert str(RequestError(400, "x" * MAX_REASON_CHARS)) == "x" * MAX_REASON_CHARS
    cut = str(RequestError(400, "x" * 100_000))
    assert len(cut) == MAX_REASON_CHARS + 1
    assert cut.endswith("…")


def test_the_reason_for_a_malformed_request_says_what_the_model_takes(shelf: Any) -> None:
    error = malformed("not JSON" * 10_000, shelf.paths["/"], "windows FP32 [-1, 6]")
    assert error.status == error.code == 400
    assert str(error).endswith("; forecast/2 takes windows FP32 [-1, 6] (-1: any length)")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (DoesNotFit("no"), 400, graphpipe.DOES_NOT_FIT),
        (UnknownTensor("no"), 400, 400),
        (TooManyRows("no"), 413, 413),
    ],
)
def test_an_error_of_the_request_has_its_status(shelf: Any, error: Exception, status: int, code: int) -> None:
    found = to_request_error(error, shelf.paths["/"])
    assert (found.status, found.code, str(found)) == (status, code, "no")
