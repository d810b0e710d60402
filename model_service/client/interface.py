"""What every client of a model service offers, answers and raises."""

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

# Asked for where the server does not say (a restart takes a second or two), and the most that it is believed.
RETRY_AFTER_S = 1.0
MAX_RETRY_AFTER_S = 60.0
# How much of a server's error is worth passing on.
MAX_REASON = 500


class ModelUnavailable(Exception):
    """No answer now: refused, timed out, overloaded, broken or garbage. The same request may succeed later."""

    def __init__(self, reason: str, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class ModelError(Exception):
    """The server refused the request itself; sending it again gets the same answer."""


class InvalidShape(ModelError):
    """The windows do not fit the model, or no longer do: read the metadata anew."""


@dataclass(frozen=True)
class Answer:
    """outputs: floating point, [n, horizon, quantiles], or [n, horizon] where a server gives the median alone.
    Name and version are None where the server does not tell them."""

    outputs: FloatArray
    model_name: str | None
    model_version: str | None


class ModelClient(Protocol):
    """One model, wherever it is served."""

    def infer(self, windows: Float32Array) -> Answer:
        """Forecast each window. windows: [n, steps], oldest reading first, n ≥ 1.

        Raises ModelUnavailable, InvalidShape, ModelError."""

    def metadata(self) -> MetadataResponse:
        """Which model answers, its inputs and outputs; asked anew each time. `description` is the JSON of model.json
        where the server is ours. Raises ModelUnavailable, ModelError."""

    def close(self) -> None:
        """Close what connections there are. Nothing may be called any more."""


def checked(url: str, outputs: Sequence[npt.NDArray[Any]], windows: int) -> FloatArray:
    """The first output, if it can be a forecast of `windows` windows. Raises ModelUnavailable."""
    if not outputs or outputs[0].dtype.kind != "f" or outputs[0].ndim < 2 or len(outputs[0]) != windows:
        seen = f"{outputs[0].dtype} {list(outputs[0].shape)}" if outputs else "no tensor"
        raise ModelUnavailable(f"{url} answered {seen} to {windows} windows")
    return outputs[0]


def refusal(text: str, does_not_fit: bool = False) -> ModelError:
    """What a refused request means. Foreign servers have no code for it, but all name the shape, the dimension or
    the input that is wrong."""
    words = ("shape", "dimension", "rank", "has no input", "unexpected inference input")
    if does_not_fit or any(word in text.lower() for word in words):
        return InvalidShape(text)
    return ModelError(text)


def one_line(text: str) -> str:
    """A peer's text, bounded, without control characters: it cannot pretend to be a line of ours."""
    return " ".join(clean(text, MAX_REASON).split())


def retry_after_s(header: str | None) -> float:
    """The seconds in a header Retry-After, as far as they are believed."""
    try:
        seconds = float(header or "")
    except ValueError:  # absent, or a date: the clocks of two machines are not compared here
        return RETRY_AFTER_S
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else RETRY_AFTER_S
