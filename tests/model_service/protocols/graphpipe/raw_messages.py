"""Inference requests built from the schema without our codec."""

from __future__ import annotations

import flatbuffers


def raw_request(
    kind: int = 1,
    tensor_type: int = 10,
    shape: tuple[int, ...] = (1, 2),
    data: bytes = b"\0" * 8,
    strings: list[str] | None = None,
    copies: int = 1,
) -> bytes:
    """An inference request built from the schema without our codec. Each part can be made invalid."""
    builder = flatbuffers.Builder(64)
    data_at = builder.CreateByteVector(data)
    strings_at = 0
    if strings is not None:
        offsets = [builder.CreateString(text) for text in strings]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        strings_at = builder.EndVector()
    builder.StartVector(8, len(shape), 8)
    for length in reversed(shape):
        builder.PrependInt64(length)
    shape_at = builder.EndVector()
    builder.StartObject(4)
    builder.PrependUint8Slot(0, tensor_type, 0)
    builder.PrependUOffsetTRelativeSlot(1, shape_at, 0)
    builder.PrependUOffsetTRelativeSlot(2, data_at, 0)
    builder.PrependUOffsetTRelativeSlot(3, strings_at, 0)
    tensor = builder.EndObject()
    builder.StartVector(4, copies, 4)
    for _ in range(copies):
        builder.PrependUOffsetTRelative(tensor)
    tensors_at = builder.EndVector()
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(2, tensors_at, 0)
    infer = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, infer, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())
