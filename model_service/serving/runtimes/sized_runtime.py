"""Runs a model that has a file for each of several window sizes: a request goes to the smallest that holds it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fncast.series.window import MISSING
from model_service.serving.runtimes.runtime import Array, Runtime, TensorSpec, UnusableModel


class SizedRuntime:
    """A model for windows of any length. Its input is (batch, any), its output (batch, steps, quantiles).

    A shorter window is padded in front with MISSING, which the model reads as a missing reading. A window that is
    longer than the largest size is cut to its last readings.
    """

    def __init__(self, runtimes: Mapping[int, Runtime]) -> None:
        """runtimes: by window, each with one input (-1, window). Raises UnusableModel."""
        self._runtimes = dict(sorted(runtimes.items()))
        first = next(iter(self._runtimes.values()))
        self.kind = first.kind
        for window, runtime in self._runtimes.items():
            shapes = [spec.shape for spec in runtime.inputs]
            if shapes != [(-1, window)]:
                raise UnusableModel(f"the model for windows of {window} readings takes the shapes {shapes}")
        self._name = first.inputs[0].name
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec(self._name, first.inputs[0].dtype, (-1, -1)),)
        self.outputs = tuple(
            TensorSpec(spec.name, spec.dtype, (-1, -1, *(spec.shape or ())[2:])) for spec in first.outputs
        )

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        windows = inputs[self._name]
        length = windows.shape[1]
        window = next((size for size in self._runtimes if length <= size), max(self._runtimes))
        if length != window:
            padded = np.full((len(windows), window), MISSING, dtype=windows.dtype)
            kept = min(length, window)
            padded[:, window - kept :] = windows[:, length - kept :]
            windows = padded
        return self._runtimes[window].run({self._name: windows})
