"""Limits the cost of parsing a protobuf message: two bytes on the wire can become an object of a hundred bytes.

Raw tensors cost nothing extra and may fill a message. Everything else in the message is limited.
Wire format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from model_service.protocols.open_inference.messages_pb2 import ModelInferRequest
from model_service.protocols.open_inference.tensor import MAX_TENSORS
from model_service.serving.request_error import RequestError

# Room for two million typed values of eight bytes, plus their descriptions.
MAX_DESCRIPTION_BYTES = 17 << 20
# Bytes after the first MAX_FIELDS fields.
MAX_TAIL_BYTES = 4 << 20
# Real messages have far fewer inputs, outputs, raw contents and parameters.
MAX_FIELDS = 4 * MAX_TENSORS
# Requests of the other methods contain only a name and a version.
MAX_SMALL_REQUEST_BYTES = 64 << 10

_RAW_FIELD = ModelInferRequest.DESCRIPTOR.fields_by_name["raw_input_contents"].number
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def check_size(data: bytes, is_inference: bool) -> None:
    """Raises RequestError for a message that is too expensive to parse.

    Leaves malformed messages to protobuf, unless they are so large that parsing them may be expensive.
    """
    if not is_inference:
        if len(data) > MAX_SMALL_REQUEST_BYTES:
            raise RequestError(
                413, f"the message has {len(data)} bytes; at most {MAX_SMALL_REQUEST_BYTES} are accepted"
            )
        return
    if len(data) <= MAX_TAIL_BYTES:
        return
    raw_bytes, rest_bytes = _raw_bytes(data)
    if rest_bytes > MAX_TAIL_BYTES:
        raise RequestError(413, f"the message has more than {MAX_FIELDS} fields, or is malformed")
    described_bytes = len(data) - raw_bytes
    if described_bytes > MAX_DESCRIPTION_BYTES:
        raise RequestError(
            413,
            f"the message has {described_bytes} bytes beside raw contents; at most {MAX_DESCRIPTION_BYTES} are "
            "accepted. Send the tensors as raw contents",
        )


def _raw_bytes(data: bytes) -> tuple[int, int]:
    """(bytes of raw tensors, bytes after the first MAX_FIELDS fields) of a ModelInferRequest."""
    at = raw = fields = 0
    end = len(data)
    while at < end and fields < MAX_FIELDS:
        fields += 1
        tag, at = _varint(data, at)
        wire_type = tag & 7
        if wire_type == _VARINT:
            _, at = _varint(data, at)
        elif wire_type == _FIXED64:
            at += 8
        elif wire_type == _FIXED32:
            at += 4
        elif wire_type == _LENGTH:
            length, at = _varint(data, at)
            at += length
            if tag >> 3 == _RAW_FIELD:
                raw += min(length, end)
        else:
            break  # groups, which this message does not have, or not protobuf
    return raw, max(end - at, 0)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a position, and the position after it. A truncated number ends the message."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, len(data)
