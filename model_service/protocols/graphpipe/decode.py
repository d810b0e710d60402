"""Decodes messages. Numeric tensors are read-only views of the given bytes, not copies."""

from __future__ import annotations

import math

import numpy as np

from model_service.protocols.graphpipe import single_tensor
from model_service.protocols.graphpipe.flatbuffer import Flatbuffer, FlatbufferTable
from model_service.protocols.graphpipe.messages import (
    DTYPES,
    Array,
    ErrorMessage,
    InferRequest,
    InferResponse,
    InvalidMessage,
    IOMetadata,
    MetadataRequest,
    MetadataResponse,
    Type,
)

Bytes = bytes | bytearray | memoryview

# Offsets may repeat, so a small message can refer to the same tensor many times. Real models have few tensors.
MAX_TENSORS = 256
# numpy supports 64 dimensions; models rarely need more than 5.
MAX_RANK = 32
# A string of 4 bytes in the message becomes a much larger Python object.
MAX_STRINGS = 1_000_000

_INFER, _METADATA = 1, 2  # the union Req


def decode_request(body: Bytes) -> InferRequest | MetadataRequest:
    """Decode any bytes. Raises InvalidMessage with the reason, and nothing else."""
    windows = single_tensor.read(single_tensor.REQUEST, body)
    if windows is not None:
        return InferRequest((windows,))
    request = Flatbuffer(body).root()
    kind = request.uint8(0)
    content = request.table(1)
    if kind == _METADATA:
        return MetadataRequest()
    if kind != _INFER or content is None:
        raise InvalidMessage("the message is neither an inference request nor a metadata request")
    decoded = InferRequest(
        config=content.text(0),
        input_names=_names(content, 1),
        input_tensors=_tensors(content, 2),
        output_names=_names(content, 3),
    )
    if not decoded.input_names and not decoded.output_names and not decoded.config:
        single_tensor.learn(single_tensor.REQUEST, body, decoded.input_tensors)
    return decoded


def decode_infer_response(body: Bytes) -> InferResponse:
    """Decode any bytes. Raises InvalidMessage with the reason, and nothing else."""
    outputs = single_tensor.read(single_tensor.RESPONSE, body)
    if outputs is not None:
        return InferResponse((outputs,))
    response = Flatbuffer(body).root()
    errors = response.tables(1, MAX_TENSORS, "errors")
    decoded = InferResponse(
        output_tensors=_tensors(response, 0),
        errors=tuple(ErrorMessage(error.int64(0), error.text(1)) for error in errors),
    )
    if not decoded.errors:
        single_tensor.learn(single_tensor.RESPONSE, body, decoded.output_tensors)
    return decoded


def decode_metadata_response(body: Bytes) -> MetadataResponse:
    """Decode any bytes. Raises InvalidMessage with the reason, and nothing else."""
    response = Flatbuffer(body).root()
    return MetadataResponse(
        name=response.text(0),
        version=response.text(1),
        server=response.text(2),
        description=response.text(3),
        inputs=tuple(_io(table) for table in response.tables(4, MAX_TENSORS, "inputs")),
        outputs=tuple(_io(table) for table in response.tables(5, MAX_TENSORS, "outputs")),
    )


def _names(table: FlatbufferTable, number: int) -> tuple[str, ...]:
    try:
        return tuple(text.decode() for text in table.texts(number, MAX_TENSORS, "names"))
    except UnicodeDecodeError:
        raise InvalidMessage("a tensor's name is not UTF-8") from None


def _shape(table: FlatbufferTable, number: int) -> tuple[int, ...]:
    first, count = table.vector(number, 8, MAX_RANK, "dimensions of a tensor")
    return table.buffer.int64s(first, count)


def _io(table: FlatbufferTable) -> IOMetadata:
    number = table.uint8(3)
    return IOMetadata(
        name=table.text(0), description=table.text(1), shape=_shape(table, 2), type=_type(number)
    )


def _type(number: int) -> Type:
    if number > Type.String:
        raise InvalidMessage(f"{number} is not a GraphPipe type")
    return Type(number)


def _tensors(table: FlatbufferTable, number: int) -> tuple[Array, ...]:
    return tuple(_tensor(tensor) for tensor in table.tables(number, MAX_TENSORS, "tensors"))


def _tensor(table: FlatbufferTable) -> Array:
    element = _type(table.uint8(0))
    shape = _shape(table, 1)
    if any(length < 0 for length in shape):
        raise InvalidMessage(f"a tensor has the shape {list(shape)}; a length cannot be negative")
    count = math.prod(shape)
    if element is Type.String:
        return _strings(table, shape, count)
    dtype = DTYPES.get(element)
    if dtype is None:
        raise InvalidMessage("a tensor has no type")
    first, data_bytes = table.vector(2, 1, table.buffer.size, "bytes")
    if count * dtype.itemsize != data_bytes:
        raise InvalidMessage(
            f"a {element.name} tensor of shape {list(shape)} needs {count * dtype.itemsize} bytes "
            f"and has {data_bytes}"
        )
    return _shaped(
        np.frombuffer(table.buffer.data, dtype, count, first) if count else np.empty(0, dtype), shape
    )


def _strings(table: FlatbufferTable, shape: tuple[int, ...], count: int) -> Array:
    texts = table.texts(3, MAX_STRINGS, "strings of a tensor")
    if len(texts) != count:
        raise InvalidMessage(
            f"a String tensor of shape {list(shape)} needs {count} strings and has {len(texts)}"
        )
    array = np.empty(count, object)
    array[:] = texts
    return _shaped(array, shape)


def _shaped(array: Array, shape: tuple[int, ...]) -> Array:
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError):  # for example [2**62, 2**62, 0]: no elements, but too large for numpy
        raise InvalidMessage(f"a tensor's shape {list(shape)} is too large") from None
