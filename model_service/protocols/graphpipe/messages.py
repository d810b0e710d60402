"""The messages of GraphPipe, as Python sees them: a tensor is a numpy array."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Code in an ErrorMessage for a well-formed request whose tensors do not fit the model (name, type or shape).
DOES_NOT_FIT = 422


class InvalidMessage(ValueError):
    """Bytes that are no GraphPipe message, or a message that GraphPipe cannot carry; the text says why."""


class Type(IntEnum):
    """The type of a tensor's elements; values are the protocol's."""

    Null = 0
    Uint8 = 1
    Int8 = 2
    Uint16 = 3
    Int16 = 4
    Uint32 = 5
    Int32 = 6
    Uint64 = 7
    Int64 = 8
    Float16 = 9
    Float32 = 10
    Float64 = 11
    String = 12


DTYPES: dict[int, np.dtype[Any]] = {
    Type.Uint8: np.dtype("u1"),
    Type.Int8: np.dtype("i1"),
    Type.Uint16: np.dtype("<u2"),
    Type.Int16: np.dtype("<i2"),
    Type.Uint32: np.dtype("<u4"),
    Type.Int32: np.dtype("<i4"),
    Type.Uint64: np.dtype("<u8"),
    Type.Int64: np.dtype("<i8"),
    Type.Float16: np.dtype("<f2"),
    Type.Float32: np.dtype("<f4"),
    Type.Float64: np.dtype("<f8"),
}
_TYPES = {dtype: Type(number) for number, dtype in DTYPES.items()}


def type_of(dtype: npt.DTypeLike) -> Type:
    """The GraphPipe type of a numpy dtype, whatever its byte order; texts, bytes and objects are String.

    Raises InvalidMessage for one that GraphPipe has no type for (bool, complex, dates)."""
    described = np.dtype(dtype)
    if described.kind in "OSU":
        return Type.String
    found = _TYPES.get(described.newbyteorder("<"))
    if found is None:
        raise InvalidMessage(f"GraphPipe has no type for {described}")
    return found


# Not frozen, as the response below: that would make each one three times as dear, and one is made for every request.
@dataclass(slots=True)
class InferRequest:
    """Tensors to run a model on. Without names the tensors are the model's inputs in order, and all outputs
    are asked for. A String tensor is an object array of `bytes` once decoded; `str` may be encoded."""

    input_tensors: tuple[Array, ...]
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    config: str = ""


@dataclass(frozen=True)
class MetadataRequest:
    """Asks which model answers, and its inputs and outputs."""


@dataclass(frozen=True)
class ErrorMessage:
    """Why an inference was refused (the table Error)."""

    code: int
    message: str


@dataclass(slots=True)
class InferResponse:
    """The outputs in the order asked for, or errors."""

    output_tensors: tuple[Array, ...] = ()
    errors: tuple[ErrorMessage, ...] = ()


@dataclass(frozen=True)
class IOMetadata:
    """One input or output of a model. shape: -1 is any length; empty is a scalar or an unknown rank."""

    name: str
    type: Type
    shape: tuple[int, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class MetadataResponse:
    """Which model answers. fncast puts the version's number into `version`, model.json into `description`."""

    name: str = ""
    version: str = ""
    server: str = ""
    description: str = ""
    inputs: tuple[IOMetadata, ...] = ()
    outputs: tuple[IOMetadata, ...] = ()
