"""Runs a .tflite file with LiteRT, which is much faster than TensorFlow for small batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from model_service.serving.runtimes.runtime import Array, TensorSpec, UnusableModel

# The server merges requests into batches and shares its machine, so a model gets one core.
THREADS = 1


class LiteRTRuntime:
    """A .tflite model. Runs the signature `serving_default`, or the first one in alphabetical order."""

    kind = "litert"

    def __init__(self, path: Path) -> None:
        """Raises UnusableModel."""
        try:
            content = path.read_bytes()
            if not content:
                raise ValueError("the file is empty")
            # Not by path: LiteRT would map the file, and the process would crash if the file were truncated.
            interpreter = Interpreter(model_content=content, num_threads=THREADS)
            signatures = sorted(interpreter.get_signature_list())
            if not signatures:
                raise UnusableModel(f"{path} has no signature, so its inputs and outputs have no names")
            runner = interpreter.get_signature_runner(
                "serving_default" if "serving_default" in signatures else signatures[0]
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise UnusableModel(f"LiteRT cannot load {path}: {error}") from None
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        self.inputs = _specs(inputs)
        self.outputs = _specs(outputs)
        self._interpreter = interpreter
        self._input_numbers = {name: each["index"] for name, each in inputs.items()}
        self._output_numbers = {name: each["index"] for name, each in outputs.items()}
        # A signature of another subgraph than the first can only be called through its runner.
        is_first = set(self._input_numbers.values()) == {
            each["index"] for each in interpreter.get_input_details()
        }
        self._runner = None if is_first else runner
        self._shapes: tuple[tuple[int, ...], ...] = ()

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        if self._runner is not None:
            outputs: dict[str, Array] = self._runner(**inputs)
            return outputs
        interpreter, numbers = self._interpreter, self._input_numbers
        shapes = tuple([inputs[name].shape for name in numbers])
        if shapes != self._shapes:  # the runner would do this on every call
            self._shapes = ()
            for name, number in numbers.items():
                interpreter.resize_tensor_input(number, inputs[name].shape)
            interpreter.allocate_tensors()
            self._shapes = shapes
        for name, number in numbers.items():
            interpreter.set_tensor(number, inputs[name])
        interpreter.invoke()
        return {name: interpreter.get_tensor(number) for name, number in self._output_numbers.items()}


def _specs(details: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, _dtype(each["dtype"]), tuple(int(length) for length in each["shape_signature"]))
        for name, each in sorted(details.items())
    )


def _dtype(kind: Any) -> np.dtype[Any]:
    """The dtype of a tensor. kind: a numpy type; LiteRT's for strings is `bytes_`, but their arrays are of objects."""
    return np.dtype(object) if kind is np.bytes_ else np.dtype(kind)
