"""Writes the body of a REST inference response: JSON, then the raw bytes of outputs requested as binary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from model_service.protocols.open_inference.rest_request import InferenceRequest
from model_service.protocols.open_inference.tensor import Array, datatype_of, to_bytes
from model_service.serving.model import Model

# Writing JSON blocks the event loop, so it is limited. Raw bytes cost nothing.
MAX_JSON_VALUES = 2_000_000


class TooMuchJson(ValueError):
    """A response has more JSON values than the server writes."""


class NotText(ValueError):
    """An output that is not UTF-8 was requested as JSON."""


def write_response(
    model: Model, request: InferenceRequest, names: Sequence[str], outputs: Mapping[str, Array]
) -> tuple[bytes, int | None]:
    """The body, and how many bytes of it are JSON (None for all). names: the outputs to write, in order.

    Raises NotText, TooMuchJson.
    """
    _check_json(sum(outputs[name].size for name in names if not _is_raw(request, name)))
    members = []
    raw: list[bytes] = []
    for name in names:
        array = outputs[name]
        member: dict[str, Any] = {
            "name": name,
            "datatype": datatype_of(array.dtype),
            "shape": list(array.shape),
        }
        if _is_raw(request, name):
            data = to_bytes(array)
            member["parameters"] = {"binary_data_size": len(data)}
            raw.append(data)
        else:
            member["data"] = _values(name, array)
        members.append(member)
    header: dict[str, Any] = {"model_name": model.name, "model_version": str(model.version)}
    if request.id is not None:
        header["id"] = request.id
    header["outputs"] = members
    document = orjson.dumps(header, option=orjson.OPT_SERIALIZE_NUMPY)
    if not raw:
        return document, None
    return b"".join((document, *raw)), len(document)


def _is_raw(request: InferenceRequest, name: str) -> bool:
    return name in request.binary or (request.all_binary and not request.outputs)


def _check_json(values: int) -> None:
    """Raises TooMuchJson."""
    if values > MAX_JSON_VALUES:
        raise TooMuchJson(
            f"the response has {values} values as JSON; at most {MAX_JSON_VALUES} are written. Request raw "
            'bytes instead: send "parameters": {"binary_data_output": true}'
        )


def _values(name: str, array: Array) -> object:
    """The values as orjson writes them in a flat array. NaN and infinities become null."""
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array.ravel(), array.dtype.newbyteorder("="))
    try:
        return [
            value.decode() if isinstance(value, bytes) else str(value) for value in array.ravel().tolist()
        ]
    except UnicodeDecodeError:
        raise NotText(f"output {name!r} is not UTF-8 text; request it with binary_data") from None
