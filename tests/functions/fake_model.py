"""A model client without a service, and events for the function that calls it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson

from events import BATCH_TYPE
from handler import Forecaster
from model_service.client import InferenceResult, InvalidShape, ModelUnavailable
from model_service.protocols.graphpipe import IOMetadata, MetadataResponse, Type


class FakeClient:
    """A fake model that takes `window` readings. Its medians are one, two and three above the last one."""

    def __init__(self, window: int = 4, quantiles: tuple[float, ...] | None = (0.1, 0.5, 0.9)) -> None:
        self.window = window
        self.quantiles = quantiles
        self.version = "3"
        self.is_ours = True
        self.error: Exception | None = None
        self.calls: list[tuple[int, ...]] = []
        self.descriptions = 0

    def metadata(self) -> MetadataResponse:
        self.descriptions += 1
        if isinstance(self.error, ModelUnavailable):
            raise self.error
        described = (
            json.dumps({"window": self.window, "quantiles": self.quantiles}) if self.is_ours else "a model"
        )
        return MetadataResponse(
            "forecast", self.version, "", described, (IOMetadata("x", Type.Float32, (-1, self.window)),)
        )

    def infer(self, windows: np.ndarray[Any, Any]) -> InferenceResult:
        self.calls.append(windows.shape)
        assert windows.dtype == np.float32
        if self.error:
            raise self.error
        if self.window > 0 and windows.shape[1] != self.window:
            raise InvalidShape(f"{windows.shape[1]} readings do not fit {self.window}")
        medians = windows[:, -1:] + np.arange(1, 4, dtype=np.float32)
        if not self.is_ours:
            return InferenceResult(medians, None, None)
        spread = np.array([quantile - 0.5 for quantile in self.quantiles or ()], dtype=np.float32) / 4
        return InferenceResult(medians[:, :, None] + spread, "forecast", self.version)


class Falling(FakeClient):
    """A fake model: the median is ten below the last reading, the outer quantiles are 20 below and above that."""

    def infer(self, windows: np.ndarray[Any, Any]) -> InferenceResult:
        spread = np.array([-20, 0, 20], dtype=np.float32)
        return InferenceResult(
            windows[:, -1:, None] - 10 + np.tile(spread, (1, 3, 1)), "forecast", self.version
        )


def event(id_: str = "1", values: Any = (1, 2, 3, 4), **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/a",
        "type": "io.fncast.window.v1",
        "subject": "cpu",
        "data": {"start": "2024-01-01T00:00:00Z", "step_s": 300, "values": list(values), **data},
    }


def ask(forecaster: Forecaster, *events: dict[str, Any]) -> list[dict[str, Any]]:
    answer = forecaster.answer({"content-type": BATCH_TYPE}, orjson.dumps(events))
    assert answer.content_type == BATCH_TYPE
    outputs: list[dict[str, Any]] = json.loads(answer.body.decode("utf-8"))
    assert len(outputs) == len(events)
    return outputs


def kinds(outputs: list[dict[str, Any]]) -> list[str]:
    return [output["type"].removeprefix("io.fncast.") for output in outputs]
