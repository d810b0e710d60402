"""The status and the reason for each error of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model_service.protocols import graphpipe
from model_service.serving.request_queue import MAX_REQUEST_ROWS, Overloaded
from model_service.serving.runtimes.runtime import RefusedInput
from tests.model_service.asgi_service import (
    WINDOWS,
    AsgiService,
)


async def test_a_request_of_too_many_windows(service: AsgiService) -> None:
    answer = await service.infer(np.zeros((MAX_REQUEST_ROWS + 1, 6), np.float32))
    assert answer.status == 413
    assert "131073 windows; at most 131072 are accepted, so split it" in answer.errors()[0].message
    answer = await service.infer(np.zeros((MAX_REQUEST_ROWS, 6), np.float32))
    assert len(graphpipe.decode_infer_response(answer.body).output_tensors[0]) == MAX_REQUEST_ROWS


@pytest.mark.parametrize(
    ("raised", "status", "reason"),
    [
        (RefusedInput("index 9 is out of range"), 400, "index 9 is out of range"),
        (RuntimeError("kernel panic"), 500, "forecast/2 failed: RuntimeError: kernel panic"),
        (Overloaded("full"), 503, "full"),
    ],
)
async def test_a_model_that_fails(
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
