"""The Open Inference Protocol over REST: all paths under /v2."""

from __future__ import annotations

import re
from typing import Any

import orjson

from model_service.protocols.open_inference import model_metadata
from model_service.protocols.open_inference.rest_request import InvalidRequest, read_request
from model_service.protocols.open_inference.rest_response import NotText, TooMuchJson, write_response
from model_service.serving.http_response import (
    BINARY,
    JSON,
    Headers,
    Receive,
    Scope,
    Send,
    error_headers,
    error_json,
    model_headers,
    send_response,
)
from model_service.serving.model import Model, server_version
from model_service.serving.repository import Models, find
from model_service.serving.request_body import RequestBodies
from model_service.serving.request_error import RequestError, malformed, to_request_error
from model_service.serving.wrong_path import MAX_SHOWN_PATH, inference_hint, wrong_path

# Parsing JSON blocks the event loop, so its size is limited. Raw bytes cost nothing and may fill the rest of a body.
MAX_JSON_BYTES = 8 << 20
_JSON_BYTES = b"inference-header-content-length"
_MODEL_PATH = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/infer|/ready)?")


class RestEndpoint:
    """Handles health, metadata and inference requests.

    The body of an error is {"error": reason}. 400 means that the request itself is invalid.
    """

    def __init__(self, models: Models, bodies: RequestBodies) -> None:
        self._models = models
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        status = 200
        try:
            found = _MODEL_PATH.fullmatch(path)
            if found is not None and found[3] == "/infer":
                if method != "POST":
                    raise RequestError(405, "use POST for an inference")
                response = await self._infer(model_metadata.path_of(found[1], found[2] or ""), scope, receive)
                if response is None:
                    return
                headers, body = response
            else:
                status, headers, document = self._describe(path, found)
                if method not in ("GET", "HEAD"):
                    raise RequestError(405, f"use GET for {path[:200]}, not {method}")
                body = orjson.dumps(document)
        except RequestError as error:
            status, headers = error.status, error_headers(error.status, JSON)
            if status == 405:
                headers.append((b"allow", b"POST" if path.endswith("/infer") else b"GET, HEAD"))
            body = error_json(error)
        await send_response(send, status, headers, b"" if method == "HEAD" else body)

    async def _infer(self, path: str, scope: Scope, receive: Receive) -> tuple[Headers, bytes] | None:
        """Headers and body of the response, None if the client disconnected. Raises RequestError."""
        held_bytes = 0
        try:
            body, held_bytes = await self._bodies.read(receive)
            model = self._find(path)
            return await _respond(model, body, _json_bytes(scope["headers"]))
        except ConnectionError:
            return None
        finally:
            self._bodies.release(held_bytes)

    def _describe(self, path: str, found: re.Match[str] | None) -> tuple[int, Headers, dict[str, Any]]:
        """Status, headers and JSON of health and metadata requests. Raises RequestError."""
        if found is not None:
            model_path = model_metadata.path_of(found[1], found[2] or "")
            if found[3] == "/ready":
                return self._ready(found[1], model_path)
            model = self._find(model_path)
            return 200, [JSON, *model_headers(model)], self._model(model)
        if path in ("/v2", "/v2/"):
            server = {"name": model_metadata.SERVER, "version": server_version()}
            return 200, [JSON], {**server, "extensions": model_metadata.EXTENSIONS}
        if path == "/v2/health/live":
            return 200, [JSON], {"live": True}
        if path == "/v2/health/ready":
            is_ready = bool(self._models.paths)
            return 200 if is_ready else 503, [JSON], {"ready": is_ready}
        raise wrong_path(self._models, path)

    def _ready(self, name: str, path: str) -> tuple[int, Headers, dict[str, Any]]:
        """Whether a model is served. Clients of this protocol look at the status only.

        "Not ready" is a normal response, as it is in gRPC, and not an error.
        """
        try:
            return 200, [JSON], {"name": self._find(path).name, "ready": True}
        except RequestError as error:
            document = {"name": name[:MAX_SHOWN_PATH], "ready": False, "error": str(error)}
            return error.status, error_headers(error.status, JSON), document

    def _find(self, path: str) -> Model:
        """The model at a path. Raises RequestError; for an unknown path it names the paths of inference."""
        try:
            return find(self._models, path)
        except RequestError as error:
            if error.status == 404:
                raise RequestError(404, f"{error}; {inference_hint(self._models)}") from None
            raise

    def _model(self, model: Model) -> dict[str, Any]:
        return {
            "name": model.name,
            "versions": model_metadata.versions(self._models, model),
            "platform": model.runtime.kind,
            "inputs": model_metadata.tensors(model.runtime.inputs),
            "outputs": model_metadata.tensors(model.runtime.outputs),
            "parameters": model_metadata.parameters(model),
        }


async def _respond(model: Model, body: bytes | bytearray, json_bytes: int | None) -> tuple[Headers, bytes]:
    """Headers and body of an inference response. Raises RequestError."""
    if (len(body) if json_bytes is None else json_bytes) > MAX_JSON_BYTES:
        raise RequestError(
            413, f"the JSON has more than {MAX_JSON_BYTES} bytes; send the tensors as raw bytes after it"
        )
    try:
        request = read_request(body, json_bytes)
        names = model.requested_outputs(request.outputs)
        outputs = await model.submit(request.tensors, request.input_names)
        content, content_json_bytes = write_response(model, request, names, outputs)
    except InvalidRequest as error:
        raise malformed(str(error), model, model_metadata.input_summary(model)) from None
    except TooMuchJson as error:
        raise RequestError(413, str(error)) from None
    except NotText as error:
        raise RequestError(400, str(error)) from None
    except Exception as error:
        raise to_request_error(error, model) from None
    if content_json_bytes is None:
        return [JSON, *model_headers(model)], content
    return [BINARY, (_JSON_BYTES, b"%d" % content_json_bytes), *model_headers(model)], content


def _json_bytes(headers: Headers) -> int | None:
    """How many bytes of the body are JSON, None for all. Raises RequestError for invalid headers."""
    found = None
    for name, value in headers:
        if name == _JSON_BYTES:
            if not value.isdigit() or len(value) > 12:
                raise RequestError(400, "Inference-Header-Content-Length must be a number of bytes")
            found = int(value)
        elif name == b"content-encoding" and value != b"identity":
            raise RequestError(
                415, "compressed bodies are not accepted; send the body without Content-Encoding"
            )
    return found
