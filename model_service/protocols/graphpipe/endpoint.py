"""GraphPipe over HTTP: POST / , /<name> , /<name>/<version>; GET of the same is the metadata as JSON."""

from __future__ import annotations

import json
import re

from model_service.protocols import graphpipe
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
from model_service.serving.model import Model
from model_service.serving.repository import Models, find
from model_service.serving.request_body import RequestBodies
from model_service.serving.request_error import RequestError, contradictory, refused
from model_service.serving.wrong_path import inference_hint, wrong_path

# A path that a client of GraphPipe may ask for: / , /<name> , /<name>/<version>.
_PATH = re.compile(r"/(?:[a-z][a-z0-9_-]*(?:/[0-9]+)?/?)?", re.ASCII)


class GraphPipeEndpoint:
    """An error is answered with its HTTP status and, as the body, an InferResponse with the error: some clients
    look at one and some at the other. A status of 400 means that the request itself is wrong. A path that no client of
    GraphPipe asks for is answered with JSON, since its caller speaks another protocol."""

    def __init__(self, models: Models, bodies: RequestBodies) -> None:
        self._models = models
        self._bodies = bodies

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers
        held_bytes = 0
        try:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body: bytes | bytearray = message["body"]
            if message.get("more_body"):
                body = await self._bodies.read(message, receive)
                held_bytes = len(body)
            try:
                model = find(self._models, scope["path"])
            except RequestError as error:
                if _PATH.fullmatch(scope["path"]) and not _is_json(body):
                    raise
                if error.status == 404:
                    error = wrong_path(self._models, scope["path"])
                await send_answer(send, error.status, error_headers(error.status, JSON), error_json(error))
                return
            if _is_json(body):
                hint = inference_hint(self._models)
                raise RequestError(400, f"no GraphPipe request: the body is JSON; {hint}")
            answer, headers, status = await _answer(model, body), [BINARY, *answered_by(model)], 200
        except RequestError as error:
            errors = (graphpipe.ErrorMessage(error.code, str(error)),)
            answer = graphpipe.encode_infer_response(graphpipe.InferResponse(errors=errors))
            status, headers = error.status, error_headers(error.status, BINARY)
        except ConnectionError:  # the client went away while it sent
            return
        finally:
            self._bodies.release(held_bytes)
        await send_answer(send, status, headers, answer)

    def get(self, path: str) -> tuple[Headers, bytes]:
        """Headers and body of the metadata. Raises RequestError."""
        if not _PATH.fullmatch(path):
            raise wrong_path(self._models, path)
        model = find(self._models, path)
        return [JSON, *answered_by(model)], _metadata_json(model.metadata)


async def _answer(model: Model, body: bytes | bytearray) -> bytes:
    """Raises RequestError."""
    try:
        request = graphpipe.decode_request(body)
        if isinstance(request, graphpipe.MetadataRequest):
            return graphpipe.encode_metadata_response(model.metadata)
        names = model.asked(request.output_names)
        outputs = await model.submit(request.input_tensors, request.input_names)
        return graphpipe.encode_infer_response(
            graphpipe.InferResponse(tuple([outputs[name] for name in names]))
        )
    except graphpipe.InvalidMessage as error:
        raise contradictory(f"no GraphPipe request: {error}", model, model.takes) from None
    except Exception as error:
        raise refused(error, model) from None


def _is_json(body: bytes | bytearray) -> bool:
    """Whether a body begins as JSON does; a flatbuffer begins with an offset that is a multiple of four."""
    return body[:1] in (b"{", b"[")


def _metadata_json(metadata: graphpipe.MetadataResponse) -> bytes:
    """What the reference server answers to GET /."""

    def described(ios: tuple[graphpipe.IOMetadata, ...]) -> list[dict[str, object]]:
        return [
            {"Name": io.name, "Description": io.description, "Shape": list(io.shape), "Type": io.type.name}
            for io in ios
        ]

    return json.dumps(
        {
            "Name": metadata.name,
            "Version": metadata.version,
            "Server": metadata.server,
            "Description": metadata.description,
            "Inputs": described(metadata.inputs),
            "Outputs": described(metadata.outputs),
        }
    ).encode()
