"""Encodes any message with the flatbuffers library. `single_tensor` must produce the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import flatbuffers
import numpy as np

from model_service.protocols.graphpipe.messages import (
    DTYPES,
    Array,
    InferRequest,
    InferResponse,
    InvalidMessage,
    IOMetadata,
    MetadataRequest,
    MetadataResponse,
    Type,
    type_of,
)

# Offsets of flatbuffers have 32 bits and may be signed. The difference is headroom for everything except tensor data.
MAX_MESSAGE_BYTES = 2**31 - 2**20
_INFER, _METADATA = 1, 2  # the union Req


def build_request(request: InferRequest | MetadataRequest) -> bytes:
    """Encode a message. Raises InvalidMessage for a tensor type that GraphPipe lacks, or for too much data."""
    if isinstance(request, MetadataRequest):
        builder = flatbuffers.Builder(64)
        return _finish_request(builder, _METADATA, _table(builder, ()))
    builder = _builder(request.input_tensors)
    tensors = _tensors(builder, request.input_tensors)
    config = builder.CreateString(request.config) if request.config else 0
    input_names = _strings(builder, request.input_names) if request.input_names else 0
    output_names = _strings(builder, request.output_names) if request.output_names else 0
    return _finish_request(builder, _INFER, _table(builder, (config, input_names, tensors, output_names)))


def build_infer_response(response: InferResponse) -> bytes:
    """Encode a message. Raises InvalidMessage for a tensor type that GraphPipe lacks, or for too much data."""
    builder = _builder(response.output_tensors)
    tensors = _tensors(builder, response.output_tensors) if response.output_tensors else 0
    errors = []
    for error in response.errors:
        message = builder.CreateString(error.message)
        builder.StartObject(2)
        builder.PrependInt64Slot(0, error.code, 0)
        builder.PrependUOffsetTRelativeSlot(1, message, 0)
        errors.append(builder.EndObject())
    return _finish(builder, _table(builder, (tensors, _offsets(builder, errors) if errors else 0)))


def build_metadata_response(response: MetadataResponse) -> bytes:
    """Encode a message."""
    builder = flatbuffers.Builder(1024)
    inputs = _offsets(builder, [_io(builder, each) for each in response.inputs])
    outputs = _offsets(builder, [_io(builder, each) for each in response.outputs])
    texts = [
        builder.CreateString(text)
        for text in (response.name, response.version, response.server, response.description)
    ]
    return _finish(builder, _table(builder, (*texts, inputs, outputs)))


def _builder(tensors: Iterable[Array]) -> flatbuffers.Builder:
    data_bytes = sum(tensor.nbytes for tensor in tensors)
    if data_bytes > MAX_MESSAGE_BYTES:
        raise InvalidMessage(
            f"the tensors have {data_bytes} bytes; a flatbuffer can hold {MAX_MESSAGE_BYTES}"
        )
    return flatbuffers.Builder(data_bytes + 1024)


def _finish(builder: flatbuffers.Builder, root: int) -> bytes:
    builder.Finish(root)
    return bytes(builder.Output())


def _finish_request(builder: flatbuffers.Builder, kind: int, content: int) -> bytes:
    builder.StartObject(2)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, content, 0)
    return _finish(builder, builder.EndObject())


def _table(builder: flatbuffers.Builder, fields: Sequence[int]) -> int:
    """A table whose fields are all offsets. 0 means that a field is absent."""
    builder.StartObject(len(fields))
    for number, offset in enumerate(fields):
        builder.PrependUOffsetTRelativeSlot(number, offset, 0)
    end: int = builder.EndObject()
    return end


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    """A vector of offsets, written at once: a response may have a string for each of thousands of windows."""
    builder.StartVector(4, len(offsets), 4)
    # The library counts positions from the end of the buffer. An entry holds the distance to its target.
    entries = builder.Offset() + 4 * np.arange(len(offsets), 0, -1)
    distances = (entries - np.array(offsets, np.int64)).astype("<u4").tobytes()
    builder.head -= len(distances)
    builder.Bytes[builder.head : builder.head + len(distances)] = distances
    end: int = builder.EndVector()
    return end


def _strings(builder: flatbuffers.Builder, texts: Sequence[str | bytes]) -> int:
    """A vector of strings. Empty ones share one place: most reasons of a tensor call are empty.

    Other strings are never shared: a reader rejects a message whose strings are longer than the message.
    """
    try:
        empty = 0
        if not all(texts):
            empty = builder.CreateString("")
        return _offsets(builder, [builder.CreateString(text) if text else empty for text in texts])
    except (TypeError, UnicodeEncodeError) as error:
        why = "it holds half of a character" if isinstance(error, UnicodeEncodeError) else str(error)
        raise InvalidMessage(f"a string cannot be encoded: {why}") from None


def _shape(builder: flatbuffers.Builder, shape: tuple[int, ...]) -> int:
    builder.StartVector(8, len(shape), 8)
    for length in reversed(shape):
        builder.PrependInt64(length)
    end: int = builder.EndVector()
    return end


def _tensors(builder: flatbuffers.Builder, tensors: Iterable[Array]) -> int:
    return _offsets(builder, [_tensor(builder, tensor) for tensor in tensors])


def _tensor(builder: flatbuffers.Builder, tensor: Array) -> int:
    kind = type_of(tensor.dtype)
    data = strings = 0
    if kind is Type.String:
        strings = _strings(builder, tensor.ravel().tolist())
    else:
        data = builder.CreateByteVector(np.asarray(tensor, DTYPES[kind]).tobytes())
    shape = _shape(builder, tensor.shape)
    builder.StartObject(4)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, shape, 0)
    builder.PrependUOffsetTRelativeSlot(2, data, 0)
    builder.PrependUOffsetTRelativeSlot(3, strings, 0)
    end: int = builder.EndObject()
    return end


def _io(builder: flatbuffers.Builder, io: IOMetadata) -> int:
    name = builder.CreateString(io.name)
    description = builder.CreateString(io.description)
    shape = _shape(builder, io.shape)
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUOffsetTRelativeSlot(1, description, 0)
    builder.PrependUOffsetTRelativeSlot(2, shape, 0)
    builder.PrependUint8Slot(3, io.type, 0)
    end: int = builder.EndObject()
    return end
