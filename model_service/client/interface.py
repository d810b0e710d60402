"""The interface of all clients of a model service: methods, results and errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fncast.foreign_text import clean
from model_service.protocols.graphpipe import MetadataResponse

Float32Array = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.floating[Any]]

# The wait before a retry if the server sends no Retry-After, and the longest wait accepted from a server.
RETRY_AFTER_S = 1.0
MAX_RETRY_AFTER_S = 60.0
# Characters of an error message of a server that are passed on.
MAX_REASON = 500


class ModelUnavailable(Exception):
    """No usable response: connection refused, timeout, overload, or garbage. The same request may succeed later."""

    def __init__(self, reason: str, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class ModelError(Exception):
    """The server rejected the request itself; sending it again has the same result."""


class InvalidShape(ModelError):
    """The windows do not fit the model. It may have been replaced, so read the metadata again."""


@dataclass(frozen=True)
class InferenceResult:
    """The result of an inference.

    outputs: floating point, [n, horizon, quantiles], or [n, horizon] if a server returns only the median.
    model_name, model_version: None if the server does not send them.
    """

    outputs: FloatArray
    model_name: str | None
    model_version: str | None


class ModelClient(Protocol):
    """Calls one model."""

    def infer(self, windows: Float32Array) -> InferenceResult:
        """Forecast each window. windows: [n, steps], oldest reading first, n ≥ 1.

        Raises ModelUnavailable, InvalidShape, ModelError.
        """

    def metadata(self) -> MetadataResponse:
        """Name, version, inputs and outputs of the model, requested from the server on each call.

        `description` is the text of model.json if the server is fncast. Raises ModelUnavailable, ModelError.
        """

    def close(self) -> None:
        """Close the connections. Call no method afterwards."""


def checked_forecast(url: str, outputs: Sequence[npt.NDArray[Any]], windows: int) -> FloatArray:
    """The first output, if it is floats of shape (windows, horizon, ...). Raises ModelUnavailable if it is not."""
    if not outputs or outputs[0].dtype.kind != "f" or outputs[0].ndim < 2 or len(outputs[0]) != windows:
        received = f"{outputs[0].dtype} {list(outputs[0].shape)}" if outputs else "no tensor"
        raise ModelUnavailable(f"{url} returned {received} for {windows} windows")
    return outputs[0]


def model_error(text: str, does_not_fit: bool = False) -> ModelError:
    """The exception for a rejected request: InvalidShape if the windows do not fit, else ModelError.

    Other servers have no status code for this, but their messages name the shape, dimension or input.
    """
    words = ("shape", "dimension", "rank", "has no input", "unexpected inference input")
    if does_not_fit or any(word in text.lower() for word in words):
        return InvalidShape(text)
    return ModelError(text)


def one_line(text: str) -> str:
    """A server's text on one line, shortened and without control characters, so that it cannot forge log lines."""
    return " ".join(clean(text, MAX_REASON).split())


def retry_after_s(header: str | None) -> float:
    """The seconds in a Retry-After header, limited to MAX_RETRY_AFTER_S."""
    try:
        seconds = float(header or "")
    except ValueError:  # absent, or a date: the clocks of two machines may differ
        return RETRY_AFTER_S
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else RETRY_AFTER_S
