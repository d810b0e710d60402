"""Converts between numpy arrays and tensors of the protocol: a datatype, a shape, and raw bytes or values.

Raw bytes are little-endian and row-major, without padding. An element of BYTES is its length as uint32, then its bytes.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Bytes = bytes | bytearray | memoryview

BYTES = "BYTES"
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    BYTES: np.dtype(object),
}
_DATATYPES = {dtype: name for name, dtype in DTYPES.items()}
# numpy supports 64 dimensions; models rarely need more than 5.
MAX_RANK = 32
# Per request. Real models have few tensors. A tensor may need 2 bytes in a message but much more as an object.
MAX_TENSORS = 256
# A string of 4 bytes in the message becomes a much larger Python object.
MAX_STRINGS = 1_000_000
# Values per request in typed protobuf fields. Converting them blocks the event loop; raw bytes cost nothing.
MAX_TYPED_VALUES = 2_000_000
# Prefix of the reason of RESOURCE_EXHAUSTED if retrying the request is useless.
TOO_LARGE = "too large"
# Parameters of Triton extensions that would change the response, so they must not be ignored.
REJECTED_PARAMETERS = ("shared_memory_region", "classification")
_LENGTH = Struct("<I")


class InvalidTensor(ValueError):
    """A malformed tensor. The text names it and says what is wrong."""


def datatype_of(dtype: np.dtype[Any]) -> str:
    """The protocol name of a numpy dtype."""
    return _DATATYPES[dtype.newbyteorder("<")]


def dtype_of(name: str, datatype: object) -> np.dtype[Any]:
    """The numpy dtype of a protocol datatype. name: of the tensor, for errors. Raises InvalidTensor."""
    found = DTYPES.get(datatype) if isinstance(datatype, str) else None
    if found is None:
        raise InvalidTensor(
            f"{name!r} has the datatype {reprlib.repr(datatype)}; known are {', '.join(DTYPES)}"
        )
    return found


def checked_shape(name: str, shape: object) -> tuple[int, ...]:
    """Check an untrusted shape and return it as a tuple. Raises InvalidTensor."""
    if not isinstance(shape, Sequence) or isinstance(shape, str) or len(shape) > MAX_RANK:
        raise InvalidTensor(f"the shape of {name!r} must be an array of at most {MAX_RANK} lengths")
    for length in shape:
        if type(length) is not int or length < 0:
            raise InvalidTensor(f"the shape of {name!r} holds {reprlib.repr(length)}, which is not a length")
    return tuple(shape)


def from_bytes(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], data: Bytes) -> Array:
    """The tensor in `data`. A view of `data`, except for BYTES. Raises InvalidTensor."""
    count = math.prod(shape)
    if dtype.kind == "O":
        return shaped(name, _strings(name, count, data), shape)
    if count * dtype.itemsize != len(data):
        raise InvalidTensor(
            f"{name!r} of shape {list(shape)} needs {count * dtype.itemsize} bytes and has {len(data)}"
        )
    array = np.frombuffer(data, dtype, count) if count else np.empty(0, dtype)
    if dtype.kind == "b" and count and array.view(np.uint8).max() > 1:
        raise InvalidTensor(f"{name!r} is BOOL and holds a byte that is neither 0 nor 1")
    return shaped(name, array, shape)


def to_bytes(array: Array) -> bytes:
    """The raw bytes of a tensor. Strings may be `bytes` or `str`."""
    if array.dtype.kind not in "OSU":
        return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    texts = [text if isinstance(text, bytes) else str(text).encode() for text in array.ravel().tolist()]
    return b"".join([part for text in texts for part in (_LENGTH.pack(len(text)), text)])


def strings(name: str, texts: Iterable[bytes], shape: tuple[int, ...]) -> Array:
    """A BYTES tensor of `texts`. Raises InvalidTensor if their number does not fit the shape."""
    listed = list(texts)
    array = np.empty(len(listed), object)
    array[:] = listed
    return shaped(name, array, shape)


def shaped(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    """`array` with the given shape. Raises InvalidTensor if the size does not fit."""
    if math.prod(shape) != array.size:
        raise InvalidTensor(
            f"{name!r} of shape {list(shape)} needs {math.prod(shape)} values and has {array.size}"
        )
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError):  # for example [2**62, 2**62, 0]: no elements, but too large for numpy
        raise InvalidTensor(f"the shape {list(shape)} of {name!r} is too large") from None


def _strings(name: str, count: int, data: Bytes) -> Array:
    """`count` strings, each after its length, as (count,) bytes. Raises InvalidTensor."""
    if count > MAX_STRINGS:
        raise InvalidTensor(f"{name!r} has {count} strings; at most {MAX_STRINGS} are accepted")
    texts: list[bytes] = []
    position = 0
    while position < len(data):
        if len(texts) == count or position + _LENGTH.size > len(data):
            raise InvalidTensor(f"{name!r} has bytes after its {len(texts)} strings")
        (length,) = _LENGTH.unpack_from(data, position)
        position += _LENGTH.size
        if position + length > len(data):
            raise InvalidTensor(f"string {len(texts)} of {name!r} reaches beyond its data")
        texts.append(bytes(data[position : position + length]))
        position += length
    if len(texts) != count:
        raise InvalidTensor(f"{name!r} needs {count} strings and has {len(texts)}")
    array = np.empty(count, object)
    array[:] = texts
    return array
