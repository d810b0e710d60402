"""GraphPipe: flatbuffers in the body of an HTTP POST. Ours adds the headers Model-Name and Model-Version to answers."""

from __future__ import annotations

import numpy as np

from model_service.client.http_connection import HttpConnection, Reply, address
from model_service.client.interface import (
    MAX_REASON,
    Answer,
    Float32Array,
    ModelError,
    ModelUnavailable,
    checked,
    one_line,
    refusal,
)
from model_service.protocols import graphpipe

_HEADERS = b"Content-Type: application/octet-stream\r\n"


class GraphPipeClient:
    """A `ModelClient` of one GraphPipe server."""

    def __init__(self, url: str, timeout_s: float = 10.0, token: str = "") -> None:
        """url: `http://host:port/path`; the path chooses the model (`/`, `/<name>`, `/<name>/<version>`).
        timeout_s, token: see HttpConnection. Raises ValueError for a bad one; connects at the first call."""
        parts = address(url, ("http", "https"))
        self.url = url
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection = HttpConnection(url, timeout_s, token)

    def infer(self, windows: Float32Array) -> Answer:
        request = graphpipe.InferRequest((np.asarray(windows, np.float32),))
        reply = self._post(graphpipe.encode_request(request))
        try:
            response = graphpipe.decode_infer_response(reply.body)
        except graphpipe.InvalidMessage as error:
            raise ModelUnavailable(f"{self.url} answered no GraphPipe message: {error}") from None
        if response.errors:
            raise _refusal(response.errors)
        outputs = checked(self.url, response.output_tensors, len(windows))
        return Answer(outputs, reply.headers.get("Model-Name"), reply.headers.get("Model-Version"))

    def metadata(self) -> graphpipe.MetadataResponse:
        reply = self._post(graphpipe.encode_request(graphpipe.MetadataRequest()))
        try:
            return graphpipe.decode_metadata_response(reply.body)
        except graphpipe.InvalidMessage as error:
            raise ModelUnavailable(f"{self.url} answered no GraphPipe metadata: {error}") from None

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: bytes) -> Reply:
        """An answer with the status 200. Raises what any other means."""
        reply = self._connection.post(self._path, _HEADERS, body)
        if reply.status == 200:
            return reply
        errors = _errors(reply.body)
        if reply.status == 400:
            raise _refusal(errors)
        reason = f"{self.url} answered {reply.status}: {one_line(_text(errors))}"
        if reply.status in (413, 415, 422):
            raise ModelError(reason)
        raise ModelUnavailable(reason, reply.retry_after_s)


def _errors(body: bytes) -> tuple[graphpipe.ErrorMessage, ...]:
    """What an error's body says: an InferResponse with errors, or plain text as the reference servers answer."""
    try:
        errors = graphpipe.decode_infer_response(body).errors
    except graphpipe.InvalidMessage:
        errors = ()
    return errors or (graphpipe.ErrorMessage(400, one_line(body[:MAX_REASON].decode("utf-8", "replace"))),)


def _refusal(errors: tuple[graphpipe.ErrorMessage, ...]) -> ModelError:
    return refusal(one_line(_text(errors)), any(error.code == graphpipe.DOES_NOT_FIT for error in errors))


def _text(errors: tuple[graphpipe.ErrorMessage, ...]) -> str:
    return "; ".join(error.message for error in errors)
