"""Runs a SavedModel or a frozen graph with TensorFlow. The only file outside training that imports TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # hides start-up messages about CPU features

import numpy as np
import tensorflow as tf

from model_service.serving.runtimes.runtime import Array, RejectedInput, TensorSpec, UnusableModel


class SavedModelRuntime:
    """A SavedModel. Runs the signature `serving_default`, or the only one."""

    kind = "tensorflow"

    def __init__(self, path: Path) -> None:
        """Raises UnusableModel."""
        try:
            self._model = tf.saved_model.load(str(path))  # must stay referenced: it owns the variables
        except Exception as error:  # TensorFlow raises many types for broken or missing files
            raise UnusableModel(f"TensorFlow cannot load {path}: {_first_line(error)}") from None
        signatures = dict(self._model.signatures)
        name = "serving_default" if "serving_default" in signatures else next(iter(signatures), None)
        if name is None or (name != "serving_default" and len(signatures) > 1):
            raise UnusableModel(
                f"{path} has the signatures {sorted(signatures)}; one named serving_default is needed"
            )
        self._run = signatures[name]
        self.inputs = _specs(path, self._run.structured_input_signature[1])
        self.outputs = _specs(path, self._run.structured_outputs)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        try:
            outputs = self._run(**{name: tf.constant(value) for name, value in inputs.items()})
        except tf.errors.InvalidArgumentError as error:
            raise _rejection(error) from None
        return {name: _array(output) for name, output in outputs.items()}


class FrozenGraphRuntime:
    """A frozen graph: a GraphDef in a .pb file, the format of TensorFlow 1."""

    kind = "tensorflow"

    def __init__(self, path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """inputs, outputs: names of nodes (`x` or `x:0`). Raises UnusableModel."""
        try:
            graph_def = tf.compat.v1.GraphDef.FromString(path.read_bytes())
            wrapped = tf.compat.v1.wrap_function(
                lambda: tf.compat.v1.import_graph_def(graph_def, name=""), []
            )
        except Exception as error:  # protobuf and TensorFlow raise many types for invalid bytes
            raise UnusableModel(f"TensorFlow cannot load {path}: {_first_line(error)}") from None
        graph = wrapped.graph
        tensors_in = {name: _tensor(path, graph, name) for name in inputs or _placeholders(graph)}
        tensors_out = {name: _tensor(path, graph, name) for name in outputs or _ends(graph)}
        if not tensors_in or not tensors_out:
            raise UnusableModel(f"{path} has no inputs or no outputs; name them with --inputs and --outputs")
        self._names_in, self._names_out = list(tensors_in), list(tensors_out)
        try:
            self._run = wrapped.prune(list(tensors_in.values()), list(tensors_out.values()))
        except ValueError as error:
            raise UnusableModel(f"{path}: {_first_line(error)}") from None
        self.inputs = _specs(path, tensors_in)
        self.outputs = _specs(path, tensors_out)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        try:
            outputs = self._run(*(tf.constant(inputs[name]) for name in self._names_in))
        except tf.errors.InvalidArgumentError as error:
            raise _rejection(error) from None
        return {name: _array(output) for name, output in zip(self._names_out, outputs, strict=True)}


def _array(output: Any) -> Array:
    """An output as an array. A scalar string is a `bytes` in TensorFlow, which numpy would cut at its last NULs."""
    return np.asarray(output.numpy(), object if output.dtype == tf.string else None)


def _specs(path: Path, tensors: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(_spec(path, name, tensor) for name, tensor in sorted(tensors.items()))


def _spec(path: Path, name: str, tensor: Any) -> TensorSpec:
    if tensor.dtype == tf.string:
        dtype = np.dtype(object)
    else:
        try:
            dtype = np.dtype(tensor.dtype.as_numpy_dtype)
        except TypeError:
            raise UnusableModel(
                f"{path}: {name!r} has the type {tensor.dtype.name}, not a tensor type"
            ) from None
    shape = None
    if tensor.shape.rank is not None:
        shape = tuple(-1 if length is None else int(length) for length in tensor.shape)
    return TensorSpec(name, dtype, shape)


def _tensor(path: Path, graph: Any, name: str) -> Any:
    try:
        return graph.get_tensor_by_name(name if ":" in name else f"{name}:0")
    except (KeyError, ValueError):
        nodes = [operation.name for operation in graph.get_operations()]
        known = ", ".join(nodes[:20]) + (f" and {len(nodes) - 20} more" if len(nodes) > 20 else "")
        raise UnusableModel(f"{path} has no node {name!r}; it has {known}") from None


def _placeholders(graph: Any) -> list[str]:
    return [operation.name for operation in graph.get_operations() if operation.type == "Placeholder"]


def _ends(graph: Any) -> list[str]:
    """Nodes whose outputs no other node reads."""
    return [
        operation.name
        for operation in graph.get_operations()
        if operation.outputs and not any(output.consumers() for output in operation.outputs)
    ]


def _rejection(error: tf.errors.InvalidArgumentError) -> RejectedInput:
    """Keep the line that says what is wrong. The other lines only give the position in the graph."""
    lines = [line for line in error.message.splitlines() if line and not line.startswith(("\t", "<stack"))]
    reasons = [line for line in lines if not line.startswith(("Graph execution error:", "Detected at node"))]
    return RejectedInput(f"{type(error).__name__}: {(reasons or lines or [''])[0]}")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
