"""Reads the body of a REST inference request: JSON, then the raw bytes of tensors sent as binary."""

from __future__ import annotations

import itertools
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from fncast.wording.json import describe
from model_service.protocols.open_inference.tensor import (
    MAX_RANK,
    MAX_TENSORS,
    REJECTED_PARAMETERS,
    Array,
    InvalidTensor,
    checked_shape,
    dtype_of,
    from_bytes,
    shaped,
    strings,
)

# The Python types that JSON values must have, by the kind of a numpy dtype. All other kinds need integers.
_KINDS: dict[str, set[type]] = {"f": {int, float}, "b": {bool}, "O": {str}}


class InvalidRequest(ValueError):
    """A body that is not an inference request. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A parsed request.

    id: returned in the response; may be None. outputs: the requested names, empty for all. binary: the names in
    `outputs` to return as raw bytes. all_binary: whether all outputs are raw bytes if `outputs` is empty.
    """

    id: str | None
    input_names: tuple[str, ...]
    tensors: tuple[Array, ...]
    outputs: tuple[str, ...]
    binary: frozenset[str]
    all_binary: bool


def read_request(body: bytes | bytearray, json_bytes: int | None) -> InferenceRequest:
    """Parse any body. json_bytes: the header Inference-Header-Content-Length, None if the whole body is JSON.

    Raises InvalidRequest, and nothing else.
    """
    try:
        return _read(body, json_bytes)
    except InvalidTensor as error:
        raise InvalidRequest(str(error)) from None


def _read(body: bytes | bytearray, json_bytes: int | None) -> InferenceRequest:
    """Raises InvalidRequest, InvalidTensor."""
    view = memoryview(body)
    if json_bytes is None:
        json_bytes = len(body)
    elif json_bytes > len(body):
        raise InvalidRequest(
            f"the body has {len(body)} bytes, but Inference-Header-Content-Length is {json_bytes}"
        )
    try:
        document = orjson.loads(view[:json_bytes])
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not JSON: {describe(error)}") from None
    if type(document) is not dict:
        raise InvalidRequest("the body is not a JSON object")
    id_ = document.get("id")
    if id_ is not None and type(id_) is not str:
        raise InvalidRequest("id must be a string")
    parameters = _parameters(document, "the request")
    names, tensors, end = [], [], json_bytes
    for member in _members(document, "inputs"):
        name = _name(member, "an input")
        tensor, end = _tensor(name, member, view, end)
        names.append(name)
        tensors.append(tensor)
    if not tensors:
        raise InvalidRequest("inputs are missing")
    if end != len(body):
        raise InvalidRequest(f"{len(body) - end} bytes follow the data of the inputs")
    all_binary = _flag(parameters, "binary_data_output", "the request", False)
    outputs, binary = [], set()
    for member in _members(document, "outputs"):
        name = _name(member, "an output")
        outputs.append(name)
        if _flag(_parameters(member, f"output {name!r}"), "binary_data", f"output {name!r}", all_binary):
            binary.add(name)
    return InferenceRequest(id_, tuple(names), tuple(tensors), tuple(outputs), frozenset(binary), all_binary)


def _tensor(name: str, member: Mapping[str, Any], body: memoryview, start: int) -> tuple[Array, int]:
    """An input, and the position after its raw bytes, which begin at `start` if there are any."""
    dtype = dtype_of(name, member.get("datatype"))
    shape = checked_shape(name, member.get("shape"))
    size = _parameters(member, f"input {name!r}").get("binary_data_size")
    data = member.get("data")
    if size is None:
        if type(data) is not list:
            raise InvalidRequest(f"input {name!r} has neither an array `data` nor a binary_data_size")
        return _from_values(name, dtype, shape, data), start
    if data is not None:
        raise InvalidRequest(f"input {name!r} has both `data` and a binary_data_size")
    if type(size) is not int or not 0 <= size <= len(body) - start:
        raise InvalidRequest(
            f"input {name!r} has the binary_data_size {reprlib.repr(size)}; {len(body) - start} bytes are left for it"
        )
    return from_bytes(name, dtype, shape, body[start : start + size]), start + size


def _from_values(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], data: list[Any]) -> Array:
    """A tensor from JSON values, flat or nested. Types are not converted: 1.5 is not an INT32, "1" not a number."""
    values, kinds = _flat(name, data)
    if len(values) != math.prod(shape):  # checked first, because the checks below look at every value
        raise InvalidTensor(
            f"{name!r} of shape {list(shape)} needs {math.prod(shape)} values and has {len(values)}"
        )
    expected = _KINDS.get(dtype.kind, {int})
    if not kinds <= expected:
        wrong = next(value for value in values if type(value) not in expected)
        raise InvalidTensor(
            f"{name!r} holds {reprlib.repr(wrong)}, which is not a {np.dtype(dtype).name} value"
        )
    if dtype.kind == "O":
        return strings(name, (value.encode() for value in values), shape)
    try:
        if dtype.kind != "f":
            return shaped(name, np.array(values, dtype), shape)
        wide = np.array(values, np.float64)
    except OverflowError:
        raise InvalidTensor(f"{name!r} holds a value beyond {np.dtype(dtype).name}") from None
    with np.errstate(over="ignore"):
        array = wide.astype(dtype)
    if not np.isfinite(array).all():  # JSON has no infinities, so this value overflowed
        raise InvalidTensor(f"{name!r} holds a value beyond {np.dtype(dtype).name}")
    return shaped(name, array, shape)


def _flat(name: str, data: list[Any]) -> tuple[list[Any], set[type]]:
    """The values of a possibly nested array, and their types. Raises InvalidTensor."""
    values = data
    for _ in range(MAX_RANK):
        kinds = set(map(type, values))
        if list not in kinds:
            return values, kinds
        if len(kinds) == 1:
            values = list(itertools.chain.from_iterable(values))
        else:
            values = [inner for value in values for inner in (value if type(value) is list else (value,))]
    raise InvalidTensor(f"the data of {name!r} are nested more than {MAX_RANK} levels deep")


def _members(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    members = document.get(name)
    if members is None:
        return ()
    if type(members) is not list:
        raise InvalidRequest(f"{name} must be an array")
    if len(members) > MAX_TENSORS:
        raise InvalidRequest(f"{len(members)} {name}; at most {MAX_TENSORS} are accepted")
    return members


def _name(member: object, noun: str) -> str:
    if type(member) is not dict:
        raise InvalidRequest(f"{noun} must be an object")
    name = member.get("name")
    if type(name) is not str:
        raise InvalidRequest(f"{noun} has no name")
    return name


def _parameters(owner: Mapping[str, Any], noun: str) -> Mapping[str, Any]:
    parameters = owner.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        raise InvalidRequest(f"the parameters of {noun} must be an object")
    for name in REJECTED_PARAMETERS:
        if name in parameters:
            raise InvalidRequest(f"{noun} has the parameter {name}, which is not supported")
    return parameters


def _flag(parameters: Mapping[str, Any], name: str, noun: str, default: bool) -> bool:
    flag = parameters.get(name, default)
    if type(flag) is not bool:
        raise InvalidRequest(f"the parameter {name} of {noun} must be true or false")
    return flag
