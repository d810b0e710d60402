"""The GraphPipe messages as dataclasses. A tensor is a numpy array."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# The code in an ErrorMessage if a request is valid but its tensors do not fit the model (name, type or shape).
DOES_NOT_FIT = 422


class InvalidMessage(ValueError):
    """Bytes that are not a GraphPipe message, or a message that GraphPipe cannot carry. The text says why."""


class Type(IntEnum):
    """The type of the elements of a tensor. The values are those of the protocol."""

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
    """The GraphPipe type of a numpy dtype in any byte order. str, bytes and objects are String.

    Raises InvalidMessage for types that GraphPipe lacks (bool, complex, dates).
    """
    wanted = np.dtype(dtype)
    if wanted.kind in "OSU":
        return Type.String
    found = _TYPES.get(wanted.newbyteorder("<"))
    if found is None:
        raise InvalidMessage(f"GraphPipe has no type for {wanted}")
    return found


# This class and InferResponse are not frozen, because every call creates both and frozen dataclasses are slower.
@dataclass(slots=True)
class InferRequest:
    """Asks for an inference.

    Without input names the tensors are in the order of the inputs of the model. Without output names all outputs are
    returned. A decoded String tensor is an object array of `bytes`; `str` can be encoded too.
    """

    input_tensors: tuple[Array, ...]
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    config: str = ""


@dataclass(frozen=True)
class MetadataRequest:
    """Asks for the name, version, inputs and outputs of the model."""


@dataclass(frozen=True)
class ErrorMessage:
    """Why an inference failed (the table Error)."""

    code: int
    message: str


@dataclass(slots=True)
class InferResponse:
    """The outputs in the requested order, or errors."""

    output_tensors: tuple[Array, ...] = ()
    errors: tuple[ErrorMessage, ...] = ()


@dataclass(frozen=True)
class IOMetadata:
    """One input or output of a model. shape: -1 is any length; empty means a scalar or an unknown rank."""

    name: str
    type: Type
    shape: tuple[int, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class MetadataResponse:
    """Describes a model. fncast puts the version number into `version` and model.json into `description`."""

    name: str = ""
    version: str = ""
    server: str = ""
    description: str = ""
    inputs: tuple[IOMetadata, ...] = ()
    outputs: tuple[IOMetadata, ...] = ()
