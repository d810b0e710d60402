"""The REST client of the Open Inference Protocol. Tensors are raw bytes after the JSON (binary tensor extension)."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from model_service.client.http_connection import HttpConnection, HttpResponse, address
from model_service.client.interface import (
    MAX_REASON,
    Float32Array,
    InferenceResult,
    ModelError,
    ModelUnavailable,
    checked_forecast,
    model_error,
    one_line,
)
from model_service.client.metadata_message import to_metadata
from model_service.client.model_address import ModelAddress
from model_service.protocols.graphpipe import MetadataResponse
from model_service.protocols.open_inference.tensor import Array, checked_shape, dtype_of, from_bytes, shaped

JSON_BYTES = "Inference-Header-Content-Length"


class RestClient:
    """A `ModelClient` of one REST server of the Open Inference Protocol."""

    def __init__(self, url: str, timeout_s: float = 10.0, token: str = "") -> None:
        """url: `http://host:port/path`; the path names the model, see ModelAddress. timeout_s, token: see
        HttpConnection. Connects on the first call. Raises ValueError.
        """
        model = ModelAddress.of(url, address(url, ("http", "https")).path)
        self.url = url
        self._path = f"/v2/models/{model.name}" + (f"/versions/{model.version}" if model.version else "")
        self._connection = HttpConnection(url, timeout_s, token)
        self._input = ""  # name of the input, from the metadata

    def infer(self, windows: Float32Array) -> InferenceResult:
        if not self._input:
            self.metadata()
        data = np.ascontiguousarray(windows, "<f4").tobytes()
        request = orjson.dumps(
            {
                "inputs": [
                    {
                        "name": self._input,
                        "datatype": "FP32",
                        "shape": windows.shape,
                        "parameters": {"binary_data_size": len(data)},
                    }
                ],
                "parameters": {"binary_data_output": True},
            }
        )
        headers = b"Content-Type: application/octet-stream\r\n%b: %d\r\n" % (
            JSON_BYTES.encode(),
            len(request),
        )
        reply = self._checked(self._connection.post(f"{self._path}/infer", headers, request + data))
        try:
            document, raw = _parts(reply)
            outputs = [_output(document["outputs"][0], raw)] if document["outputs"] else []
            name, version = document.get("model_name"), document.get("model_version")
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ModelUnavailable(f"{self.url} did not return an inference response: {error!r}") from None
        return InferenceResult(
            checked_forecast(self.url, outputs, len(windows)),
            str(name) if name else None,
            str(version) if version else None,
        )

    def metadata(self) -> MetadataResponse:
        reply = self._checked(self._connection.get(self._path))
        try:
            described = orjson.loads(reply.body)
            inputs = [(each["name"], each["datatype"], tuple(each["shape"])) for each in described["inputs"]]
            self._input = str(inputs[0][0])
            return to_metadata(str(described["name"]), inputs, described.get("parameters") or {})
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise ModelUnavailable(f"{self.url} did not return metadata of a model: {error!r}") from None

    def close(self) -> None:
        self._connection.close()

    def _checked(self, reply: HttpResponse) -> HttpResponse:
        """A response with status 200. Raises ModelError or ModelUnavailable for any other status."""
        if reply.status == 200:
            return reply
        text = _error(reply.body)
        if reply.status == 400:
            raise model_error(text)
        reason = f"{self.url} answered {reply.status}: {text}"
        if reply.status in (413, 415, 422):
            raise ModelError(reason)
        raise ModelUnavailable(reason, reply.retry_after_s)


def _parts(reply: HttpResponse) -> tuple[Any, memoryview]:
    """The JSON and the raw bytes after it. Raises ValueError."""
    json_bytes = int(reply.headers.get(JSON_BYTES, len(reply.body)))
    if not 0 <= json_bytes <= len(reply.body):
        raise ValueError(f"{JSON_BYTES} is {json_bytes}, the body has {len(reply.body)} bytes")
    body = memoryview(reply.body)
    return orjson.loads(body[:json_bytes]), body[json_bytes:]


def _output(output: dict[str, Any], raw: memoryview) -> Array:
    """One output. raw: the bytes after the JSON, which begin with those of this output.

    Raises ValueError, KeyError, TypeError.
    """
    name = str(output["name"])
    dtype, shape = dtype_of(name, output["datatype"]), checked_shape(name, output["shape"])
    size = (output.get("parameters") or {}).get("binary_data_size")
    if size is not None:
        return from_bytes(name, dtype, shape, raw[:size])
    # A server without the extension. null becomes NaN; our server writes NaN as null.
    return shaped(name, np.array(output["data"], dtype).ravel(), shape)


def _error(body: bytes) -> str:
    """The text of an error: the member `error` of the JSON, or the body of a proxy."""
    try:
        return one_line(str(orjson.loads(body)["error"]))
    except (ValueError, KeyError, TypeError):
        return one_line(body[:MAX_REASON].decode("utf-8", "replace"))
