from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_service.protocols.open_inference import grpc_size
from model_service.protocols.open_inference.grpc_size import check_size
from model_service.serving.request_error import RequestError


def _varint(number: int) -> bytes:
    return (bytes([number & 0x7F | 0x80]) + _varint(number >> 7)) if number > 0x7F else bytes([number])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


EMPTY = 20 << 20  # bytes of fields that hold nothing


@pytest.mark.parametrize(
    "body",
    [
        _field(5, b"") * (EMPTY // 2),
        _field(7, b"") * (EMPTY // 2),
        _field(4, b"") * (EMPTY // 2),
        b"\x78\x01" * (EMPTY // 2),  # a field that the message has not
        _field(5, _field(5, _field(8, b"") * (EMPTY // 2))),  # bytes_contents
        _field(5, _field(4, b"") * (EMPTY // 2)),  # parameters of an input
    ],
)
def test_millions_of_empty_fields_are_rejected_before_parsing(body: bytes) -> None:
    began_s = time.process_time()
    with pytest.raises(RequestError) as raised:
        check_size(body, is_inference=True)
    assert raised.value.status == 413
    assert time.process_time() - began_s < 0.2


@given(st.binary(max_size=60))
def test_the_size_of_any_bytes_can_be_checked(data: bytes) -> None:
    """With lower limits, so that short messages are scanned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grpc_size, "MAX_TAIL_BYTES", 0)
        patch.setattr(grpc_size, "MAX_FIELDS", 3)
        with suppress(RequestError):
            check_size(data, is_inference=True)
