"""One loaded version of a model: its metadata, the checks of its inputs, and its batcher."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np

from model_service.protocols import graphpipe
from model_service.serving.batcher import Batcher
from model_service.serving.request_queue import RowShapes
from model_service.serving.runtimes.runtime import Array, Runtime, TensorSpec, UnusableModel
from model_service.serving.warm_up import shape_text, warm_up


class DoesNotFit(ValueError):
    """The tensors of a request do not fit the model: their names, types or shapes. The text is for the caller."""


class UnknownTensor(ValueError):
    """A request names an input or output that the model does not have, or names one twice."""


class Model:
    """A loaded and warmed-up version, used from one event loop.

    Requests share calls only if model.json has a `window`. Models of fncast score each row independently; other models
    may not.
    """

    def __init__(
        self,
        name: str,
        version: int,
        runtime: Runtime,
        document: str = "",
        details: Mapping[str, Any] | None = None,
        observe: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        """document: the text of model.json, "" if there is none. details: the same, parsed. observe: called with the
        rows and seconds of each call.

        Runs the model to warm it up. Raises UnusableModel if the model cannot be served.
        """
        self.name = name
        self.version = version
        self.runtime = runtime
        self.details = details or {}
        self.merges = "window" in self.details and all(
            spec.shape is not None and spec.shape[:1] == (-1,) for spec in runtime.inputs
        )
        self._inputs = {spec.name: spec for spec in runtime.inputs}
        self._single_input = _single_fixed_input(runtime.inputs)
        self._output_names = tuple(spec.name for spec in runtime.outputs)
        self.metadata = graphpipe.MetadataResponse(
            name=name,
            version=str(version),
            server=f"fncast {server_version()}".strip(),
            description=document,
            inputs=tuple(self._io(spec) for spec in runtime.inputs),
            outputs=tuple(self._io(spec) for spec in runtime.outputs),
        )
        if self.merges:  # a foreign model may fail on made-up inputs
            warm_up(str(self), runtime.inputs, self.details, self._run)
        self._batcher = Batcher(self._run, self.merges, observe)

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"

    @property
    def input_summary(self) -> str:
        """The inputs with their types and shapes, for error messages."""
        return _listing(self._inputs.values())

    def replace_document(self, document: str, details: Mapping[str, Any]) -> bool:
        """Replace model.json without loading the model again.

        Returns False, and changes nothing, if window, sizes, horizon or quantiles differ: these need a warm-up.
        """
        checked = ("window", "sizes", "horizon", "quantiles")
        if any(self.details.get(name) != details.get(name) for name in checked):
            return False
        self.details = details
        self.metadata = replace(self.metadata, description=document)
        return True

    def submit(
        self, tensors: Sequence[Array], input_names: Sequence[str] = ()
    ) -> asyncio.Future[Mapping[str, Array]]:
        """Check the tensors and queue them.

        tensors: in the order of `input_names`, or of the inputs of the model if there are no names. Returns a future of
        all outputs by name, which raises what the model raises (RejectedInput if it rejects the values). Raises
        DoesNotFit, UnknownTensor, Overloaded, TooManyRows.
        """
        if self._single_input is not None and len(tensors) == 1:
            name, dtype, row_shapes = self._single_input
            tensor = tensors[0]
            if (
                tensor.dtype == dtype
                and tensor.shape[1:] == row_shapes[0]
                and tensor.size
                and (not input_names or (len(input_names) == 1 and input_names[0] == name))
            ):
                return self._batcher.submit({name: tensor}, len(tensor) if self.merges else 1, row_shapes)
        names = input_names or tuple(self._inputs)
        if len(tensors) != len(self._inputs) or len(names) != len(tensors):
            raise DoesNotFit(
                f"{len(tensors)} tensors and {len(input_names)} names; {self} takes {self.input_summary}"
            )
        inputs = dict(zip(names, tensors, strict=True))
        for name, tensor in inputs.items():
            self._check(name, tensor)
        if len(inputs) != len(names):
            raise UnknownTensor(f"an input is named twice: {', '.join(names)}")
        rows = 1
        if self.merges:
            rows = len(tensors[0])
            if any(len(tensor) != rows for tensor in tensors):
                raise DoesNotFit(f"the inputs of {self} must have equally many rows")
        return self._batcher.submit(inputs, rows)

    def requested_outputs(self, output_names: Sequence[str]) -> Sequence[str]:
        """The outputs to return, in order: those requested, or all if none are. Raises UnknownTensor."""
        for name in output_names:
            if name not in self._output_names:
                raise UnknownTensor(f"{self} has no output {name!r}; it has {', '.join(self._output_names)}")
        if len(set(output_names)) != len(output_names):
            raise UnknownTensor(f"an output is named twice: {', '.join(output_names)}")
        return output_names or self._output_names

    async def close(self) -> None:
        """Finish all waiting requests, then end the thread of the model. Call `submit` no more afterwards."""
        await self._batcher.close()

    def _check(self, name: str, tensor: Array) -> None:
        spec = self._inputs.get(name)
        if spec is None:
            raise UnknownTensor(f"{self} has no input {name!r}; it has {', '.join(self._inputs)}")
        if tensor.dtype != spec.dtype:
            raise DoesNotFit(
                f"input {name!r} of {self} is {_type_name(spec.dtype)}, not {_type_name(tensor.dtype)}; "
                f"it has the shape {shape_text(spec.shape)}"
            )
        shape = spec.shape
        if shape is not None and (
            tensor.ndim != len(shape)
            or any(length not in (-1, given) for length, given in zip(shape, tensor.shape, strict=True))
        ):
            raise DoesNotFit(
                f"input {name!r} of {self} has the shape {shape_text(shape)}, not {shape_text(tensor.shape)}"
            )
        if not tensor.size:
            raise DoesNotFit(f"input {name!r} is empty: its shape is {shape_text(tensor.shape)}")

    def _io(self, spec: TensorSpec) -> graphpipe.IOMetadata:
        try:
            return graphpipe.IOMetadata(spec.name, graphpipe.type_of(spec.dtype), spec.shape or ())
        except graphpipe.InvalidMessage as error:
            raise UnusableModel(f"{self}: GraphPipe cannot carry {spec.name!r}: {error}") from None

    def _run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        # Tensors are views of the request body and may be unaligned; runtimes need aligned ones.
        aligned = {name: _aligned(value) for name, value in inputs.items()}
        outputs = self.runtime.run(aligned)
        if self.merges:
            rows = len(next(iter(inputs.values())))
            for name, value in outputs.items():
                if len(value) != rows:
                    raise RuntimeError(f"{self} answered {len(value)} rows of {name!r} to {rows}")
        return outputs


def _single_fixed_input(inputs: tuple[TensorSpec, ...]) -> tuple[str, np.dtype[Any], RowShapes] | None:
    """(name, type, row shapes) of the only input, if its shape is fixed except for the number of rows.

    Requests for such models take a faster check. None for other models.
    """
    if len(inputs) != 1:
        return None
    shape = inputs[0].shape
    if shape is None or len(shape) < 2 or shape[0] != -1 or -1 in shape[1:]:
        return None
    return inputs[0].name, inputs[0].dtype, (shape[1:],)


def _aligned(value: Array) -> Array:
    flags = value.flags
    if flags.aligned and flags.c_contiguous:
        return value
    return np.require(value, requirements=["ALIGNED", "C_CONTIGUOUS"])


def _type_name(dtype: np.dtype[Any]) -> str:
    """The GraphPipe name of a type, or the numpy name if GraphPipe has none."""
    try:
        return graphpipe.type_of(dtype).name
    except graphpipe.InvalidMessage:
        return str(dtype)


def _listing(specs: Iterable[TensorSpec]) -> str:
    return ", ".join(f"{spec.name} {_type_name(spec.dtype)} {shape_text(spec.shape)}" for spec in specs)


def server_version() -> str:
    """The version of fncast, "" if fncast is not installed."""
    try:
        return metadata.version("fncast")
    except metadata.PackageNotFoundError:
        return ""
