"""Writes the body of a REST inference answer: JSON, then the raw bytes of the outputs wanted so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from model_service.protocols.open_inference.rest_request import InferenceRequest
from model_service.protocols.open_inference.tensor import Array, datatype_of, to_bytes
from model_service.serving.model import Model

# Writing them holds the event loop for a fifth of a second. Raw bytes cost nothing.
MAX_JSON_VALUES = 2_000_000


class TooMuchJson(ValueError):
    """An answer would hold more JSON than the server writes."""


class NotText(ValueError):
    """An output whose bytes are no UTF-8 was asked for as JSON."""


def write_answer(
    model: Model, request: InferenceRequest, names: Sequence[str], outputs: Mapping[str, Array]
) -> tuple[bytes, int | None]:
    """The body, and how many bytes of it are JSON: None for all. names: of the outputs, in order. Raises NotText,
    TooMuchJson."""
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
    answer: dict[str, Any] = {"model_name": model.name, "model_version": str(model.version)}
    if request.id is not None:
        answer["id"] = request.id
    answer["outputs"] = members
    document = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    if not raw:
        return document, None
    return b"".join((document, *raw)), len(document)


def _is_raw(request: InferenceRequest, name: str) -> bool:
    return name in request.binary or (request.all_binary and not request.outputs)


def _check_json(values: int) -> None:
    """Raises TooMuchJson."""
    if values > MAX_JSON_VALUES:
        raise TooMuchJson(
            f"the answer has {values} values as JSON; at most {MAX_JSON_VALUES} are written, and any number as raw "
            'bytes: send "parameters": {"binary_data_output": true}'
        )


def _values(name: str, array: Array) -> object:
    """What orjson writes as a flat array; NaN and infinities, which JSON has not, become null."""
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array.ravel(), array.dtype.newbyteorder("="))
    try:
        return [
            value.decode() if isinstance(value, bytes) else str(value) for value in array.ravel().tolist()
        ]
    except UnicodeDecodeError:
        raise NotText(f"output {name!r} is not UTF-8 text; ask for it with binary_data") from None
