"""The Open Inference Protocol over HTTP: everything under /v2."""

from __future__ import annotations

import re
from typing import Any

import orjson

from model_service.protocols.open_inference import model_metadata
from model_service.protocols.open_inference.rest_request import InvalidRequest, read_request
from model_service.protocols.open_inference.rest_response import NotText, TooMuchJson, write_answer
from model_service.serving.http_response import (
    BINARY,
    JSON,
    Headers,
    Receive,
    Scope,
    Send,
    answered_by,
    error_headers,
    error_json,
    send_answer,
)
from model_service.serving.model import Model, server_version
from model_service.serving.repository import Models, find
from model_service.serving.request_body import RequestBodies
from model_service.serving.request_error import RequestError, contradictory, refused
from model_service.serving.wrong_path import MAX_SHOWN_PATH, inference_hint, wrong_path

# JSON is read in the event loop, where nobody else is answered meanwhile: 8 MiB of numbers hold it for a second, of
# empty arrays for three. Raw bytes cost nothing, so all else of a body may be these.
MAX_JSON_BYTES = 8 << 20
_JSON_BYTES = b"inference-header-content-length"
_MODEL_PATH = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/infer|/ready)?")


class RestEndpoint:
    """Health, metadata and inference. Each error is answered as {"error": …}; a status of 400 means that the request
    itself is wrong."""

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
                    raise RequestError(405, "an inference is asked for by POST")
                answer = await self._infer(model_metadata.path_of(found[1], found[2] or ""), scope, receive)
                if answer is None:
                    return
                headers, body = answer
            else:
                status, headers, document = self._describe(path, found)
                if method not in ("GET", "HEAD"):
                    raise RequestError(405, f"GET {path[:200]}, not {method}")
                body = orjson.dumps(document)
        except RequestError as error:
            status, headers = error.status, error_headers(error.status, JSON)
            if status == 405:
                headers.append((b"allow", b"POST" if path.endswith("/infer") else b"GET, HEAD"))
            body = error_json(error)
        await send_answer(send, status, headers, b"" if method == "HEAD" else body)

    async def _infer(self, path: str, scope: Scope, receive: Receive) -> tuple[Headers, bytes] | None:
        """Headers and body of the answer; None if the client went away. Raises RequestError."""
        held_bytes = 0
        try:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body: bytes | bytearray = message["body"]
            if message.get("more_body"):
                body = await self._bodies.read(message, receive)
                held_bytes = len(body)
            model = self._find(path)
            return await _answer(model, body, _json_bytes(scope["headers"]))
        except ConnectionError:
            return None
        finally:
            self._bodies.release(held_bytes)

    def _describe(self, path: str, found: re.Match[str] | None) -> tuple[int, Headers, dict[str, Any]]:
        """Status, headers and JSON of what is not an inference. Raises RequestError."""
        if found is not None:
            model_path = model_metadata.path_of(found[1], found[2] or "")
            if found[3] == "/ready":
                return self._ready(found[1], model_path)
            model = self._find(model_path)
            return 200, [JSON, *answered_by(model)], self._model(model)
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
        """Whether a model can be asked, which the status alone says in this protocol. Not ready is not an error: gRPC
        answers it with `ready: false` as well."""
        try:
            return 200, [JSON], {"name": self._find(path).name, "ready": True}
        except RequestError as error:
            answer = {"name": name[:MAX_SHOWN_PATH], "ready": False, "error": str(error)}
            return error.status, error_headers(error.status, JSON), answer

    def _find(self, path: str) -> Model:
        """Raises RequestError."""
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


async def _answer(model: Model, body: bytes | bytearray, json_bytes: int | None) -> tuple[Headers, bytes]:
    """Raises RequestError."""
    if (len(body) if json_bytes is None else json_bytes) > MAX_JSON_BYTES:
        raise RequestError(
            413, f"the JSON has more than {MAX_JSON_BYTES} bytes; tensors may follow it as raw bytes"
        )
    try:
        request = read_request(body, json_bytes)
        names = model.asked(request.outputs)
        outputs = await model.submit(request.tensors, request.input_names)
        answer, answer_json_bytes = write_answer(model, request, names, outputs)
    except InvalidRequest as error:
        raise contradictory(str(error), model, model_metadata.takes(model)) from None
    except TooMuchJson as error:
        raise RequestError(413, str(error)) from None
    except NotText as error:
        raise RequestError(400, str(error)) from None
    except Exception as error:
        raise refused(error, model) from None
    if answer_json_bytes is None:
        return [JSON, *answered_by(model)], answer
    return [BINARY, (_JSON_BYTES, b"%d" % answer_json_bytes), *answered_by(model)], answer


def _json_bytes(headers: Headers) -> int | None:
    """How many bytes of the body are JSON, None for all. Raises RequestError for what cannot be read."""
    found = None
    for name, value in headers:
        if name == _JSON_BYTES:
            if not value.isdigit() or len(value) > 12:
                raise RequestError(400, "Inference-Header-Content-Length is no number of bytes")
            found = int(value)
        elif name == b"content-encoding" and value != b"identity":
            raise RequestError(415, "compressed bodies are not taken; send it without Content-Encoding")
    return found
