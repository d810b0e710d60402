"""The GraphPipe client: flatbuffers over HTTP POST. Servers of fncast add the headers Model-Name and Model-Version."""

from __future__ import annotations

import numpy as np

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
from model_service.protocols import graphpipe

_HEADERS = b"Content-Type: application/octet-stream\r\n"


class GraphPipeClient:
    """A `ModelClient` of one GraphPipe server."""

    def __init__(self, url: str, timeout_s: float = 10.0, token: str = "") -> None:
        """url: `http://host:port/path`; the path chooses the model (`/`, `/<name>`, `/<name>/<version>`).
        timeout_s, token: see HttpConnection. Connects on the first call. Raises ValueError.
        """
        parts = address(url, ("http", "https"))
        self.url = url
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection = HttpConnection(url, timeout_s, token)

    def infer(self, windows: Float32Array) -> InferenceResult:
        request = graphpipe.InferRequest((np.asarray(windows, np.float32),))
        reply = self._post(graphpipe.encode_request(request))
        try:
            response = graphpipe.decode_infer_response(reply.body)
        except graphpipe.InvalidMessage as error:
            raise ModelUnavailable(f"{self.url} did not return a GraphPipe message: {error}") from None
        if response.errors:
            raise _rejection(response.errors)
        outputs = checked_forecast(self.url, response.output_tensors, len(windows))
        return InferenceResult(outputs, reply.headers.get("Model-Name"), reply.headers.get("Model-Version"))

    def metadata(self) -> graphpipe.MetadataResponse:
        reply = self._post(graphpipe.encode_request(graphpipe.MetadataRequest()))
        try:
            return graphpipe.decode_metadata_response(reply.body)
        except graphpipe.InvalidMessage as error:
            raise ModelUnavailable(f"{self.url} did not return GraphPipe metadata: {error}") from None

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: bytes) -> HttpResponse:
        """A response with status 200. Raises ModelError or ModelUnavailable for any other status."""
        reply = self._connection.post(self._path, _HEADERS, body)
        if reply.status == 200:
            return reply
        errors = _errors(reply.body)
        if reply.status == 400:
            raise _rejection(errors)
        reason = f"{self.url} answered {reply.status}: {one_line(_text(errors))}"
        if reply.status in (413, 415, 422):
            raise ModelError(reason)
        raise ModelUnavailable(reason, reply.retry_after_s)


def _errors(body: bytes) -> tuple[graphpipe.ErrorMessage, ...]:
    """The errors in a response body: an InferResponse, or plain text as the reference servers send it."""
    try:
        errors = graphpipe.decode_infer_response(body).errors
    except graphpipe.InvalidMessage:
        errors = ()
    return errors or (graphpipe.ErrorMessage(400, one_line(body[:MAX_REASON].decode("utf-8", "replace"))),)


def _rejection(errors: tuple[graphpipe.ErrorMessage, ...]) -> ModelError:
    return model_error(one_line(_text(errors)), any(error.code == graphpipe.DOES_NOT_FIT for error in errors))


def _text(errors: tuple[graphpipe.ErrorMessage, ...]) -> str:
    return "; ".join(error.message for error in errors)
