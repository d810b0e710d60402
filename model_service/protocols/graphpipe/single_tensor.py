"""A fast codec for the most common message: one unnamed float32 tensor.

Two messages of the same shape differ only in the data of the tensor. So the library builds one message per shape, and
the data is inserted between its constant parts. Reading compares the constant parts. Messages that differ in any other
byte are decoded in the general way. See docs/decisions/061-graphpipe-fast-path.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model_service.protocols.graphpipe.build import build_infer_response, build_request
from model_service.protocols.graphpipe.messages import Array, InferRequest, InferResponse

_FLOAT32 = np.dtype("<f4")
# Shapes remembered for each kind of message. There is one for each batch size.
MAX_TEMPLATES = 2048
# For larger tensors copying the data dominates, and building a template would need a large message.
MAX_DATA_BYTES = 1 << 20


@dataclass(frozen=True)
class _Template:
    """The constant bytes before and after the data, for one shape."""

    shape: tuple[int, ...]
    count: int
    before: bytes
    after: bytes


class MessageTemplates:
    """The known templates of one kind of message, and the function that builds such a message with the library."""

    def __init__(self, build: Callable[[Array], bytes]) -> None:
        self.build = build
        self.by_shape: dict[tuple[int, ...], _Template] = {}
        self.by_length: dict[int, _Template] = {}


REQUEST = MessageTemplates(lambda tensor: build_request(InferRequest((tensor,))))
RESPONSE = MessageTemplates(lambda tensor: build_infer_response(InferResponse((tensor,))))


def write(templates: MessageTemplates, tensor: Array) -> bytes | None:
    """Encode a float32 tensor to the same bytes as the library. None if the tensor needs the general way."""
    if tensor.dtype != _FLOAT32 or not 0 < tensor.nbytes <= MAX_DATA_BYTES:
        return None
    template = templates.by_shape.get(tensor.shape) or _template(templates, tensor.shape)
    return b"".join((template.before, tensor.tobytes(), template.after))


def read(templates: MessageTemplates, body: bytes | bytearray | memoryview) -> Array | None:
    """The float32 tensor in its shape, as a view of `body`. None if the message needs the general way."""
    template = templates.by_length.get(len(body))
    if template is None or not isinstance(body, bytes):
        return None
    if not body.startswith(template.before) or not body.endswith(template.after):
        return None
    return np.frombuffer(body, _FLOAT32, template.count, len(template.before)).reshape(template.shape)


def learn(
    templates: MessageTemplates, body: bytes | bytearray | memoryview, tensors: tuple[Array, ...]
) -> None:
    """Remember the template of the shape of a message decoded in the general way, if our message is as long.

    The template is that of our encoder, not that of the message: another encoder may place offsets among the data, so
    comparing the bytes around the data would not be enough.
    """
    if len(tensors) != 1 or tensors[0].dtype != _FLOAT32 or not 0 < tensors[0].nbytes <= MAX_DATA_BYTES:
        return
    shape = tensors[0].shape
    template = templates.by_shape.get(shape) or _template(templates, shape)
    if len(body) != len(template.before) + 4 * template.count + len(template.after):
        return
    if len(templates.by_length) >= MAX_TEMPLATES:
        templates.by_length.clear()
    templates.by_length[len(body)] = template


def _template(templates: MessageTemplates, shape: tuple[int, ...]) -> _Template:
    count = math.prod(shape)
    # Two messages that differ only in their data show where the data is.
    zeros = templates.build(np.zeros(shape, _FLOAT32))
    others = templates.build(np.frombuffer(b"\xff" * (4 * count), _FLOAT32).reshape(shape))
    first = next(
        index for index, (zero, other) in enumerate(zip(zeros, others, strict=True)) if zero != other
    )
    template = _Template(shape, count, zeros[:first], zeros[first + 4 * count :])
    if len(templates.by_shape) >= MAX_TEMPLATES:
        templates.by_shape.clear()
    templates.by_shape[shape] = template
    return template
