"""Converts the tensors of gRPC messages, which are raw bytes or typed protobuf fields, to and from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model_service.protocols.open_inference.messages_pb2 import (
    InferTensorContents,
    ModelInferRequest,
    ModelInferResponse,
)
from model_service.protocols.open_inference.tensor import (
    MAX_TENSORS,
    MAX_TYPED_VALUES,
    REJECTED_PARAMETERS,
    Array,
    InvalidTensor,
    checked_shape,
    datatype_of,
    dtype_of,
    from_bytes,
    shaped,
    strings,
    to_bytes,
)

# The field of InferTensorContents for each datatype; FP16 has none.
_FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def read_inputs(request: ModelInferRequest) -> tuple[Array, ...]:
    """The tensors of a request, in order. Raises InvalidTensor, also if the request has too many tensors or values."""
    for tensors, noun in ((request.inputs, "inputs"), (request.outputs, "outputs")):
        if len(tensors) > MAX_TENSORS:  # checked before any of them becomes a Python object
            raise InvalidTensor(f"{len(tensors)} {noun}; at most {MAX_TENSORS} are accepted")
        for tensor in tensors:
            for name in REJECTED_PARAMETERS:
                if name in tensor.parameters:
                    raise InvalidTensor(f"{tensor.name!r} has the parameter {name}, which is not supported")
    typed = sum(
        len(getattr(each.contents, _FIELDS.get(each.datatype, "fp32_contents"))) for each in request.inputs
    )
    if typed > MAX_TYPED_VALUES:
        raise InvalidTensor(
            f"{typed} typed values; at most {MAX_TYPED_VALUES} are accepted. Send the tensors as raw contents"
        )
    return _read(request.inputs, request.raw_input_contents)


def read_outputs(response: ModelInferResponse) -> tuple[Array, ...]:
    """The tensors of a response, in order. Raises InvalidTensor."""
    return _read(response.outputs, response.raw_output_contents)


def _read(messages: Sequence[Any], raw: Sequence[bytes]) -> tuple[Array, ...]:
    """Convert tensors. raw: their data, or empty if it is in their contents. Raises InvalidTensor."""
    if raw and len(raw) != len(messages):
        raise InvalidTensor(f"{len(raw)} raw contents for {len(messages)} tensors")
    tensors = []
    for index, each in enumerate(messages):
        dtype = dtype_of(each.name, each.datatype)
        shape = checked_shape(each.name, tuple(each.shape))
        if not raw:
            tensors.append(_from_contents(each.name, each.datatype, dtype, shape, each.contents))
        elif each.HasField("contents"):
            raise InvalidTensor(f"{each.name!r} has both contents and raw contents")
        else:
            tensors.append(from_bytes(each.name, dtype, shape, raw[index]))
    return tuple(tensors)


def write_outputs(
    response: ModelInferResponse, names: Sequence[str], outputs: Mapping[str, Array], is_raw: bool
) -> None:
    """Add the outputs called `names` to a response, in order. is_raw: as raw bytes; always so if one is FP16."""
    datatypes = [datatype_of(outputs[name].dtype) for name in names]
    is_raw = is_raw or any(datatype not in _FIELDS for datatype in datatypes)
    for name, datatype in zip(names, datatypes, strict=True):
        array = outputs[name]
        output = response.outputs.add(name=name, datatype=datatype, shape=array.shape)
        if is_raw:
            response.raw_output_contents.append(to_bytes(array))
            continue
        values: list[Any] = array.ravel().tolist()
        if datatype == "BYTES":
            values = [value if isinstance(value, bytes) else str(value).encode() for value in values]
        getattr(output.contents, _FIELDS[datatype]).extend(values)


def _from_contents(
    name: str, datatype: str, dtype: np.dtype[Any], shape: tuple[int, ...], contents: InferTensorContents
) -> Array:
    field = _FIELDS.get(datatype)
    if field is None:
        raise InvalidTensor(f"{name!r} is {datatype}, which only raw contents can hold")
    values = getattr(contents, field)
    if datatype == "BYTES":
        return strings(name, values, shape)
    try:
        return shaped(name, np.array(values, dtype), shape)
    except OverflowError:
        raise InvalidTensor(f"{name!r} holds a value beyond {datatype}") from None
