"""GraphPipe over HTTP: POST /, /<name> or /<name>/<version> infers; GET returns the metadata as JSON."""

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
    error_headers,
    error_json,
    model_headers,
    send_response,
)
from model_service.serving.model import Model
from model_service.serving.repository import Models, find
from model_service.serving.request_body import RequestBodies
from model_service.serving.request_error import RequestError, malformed, to_request_error
from model_service.serving.wrong_path import inference_hint, wrong_path

# The paths that GraphPipe clients use: /, /<name>, /<name>/<version>.
_PATH = re.compile(r"/(?:[a-z][a-z0-9_-]*(?:/[0-9]+)?/?)?", re.ASCII)


class GraphPipeEndpoint:
    """Handles the GraphPipe requests of the server.

    An error has an HTTP status and an InferResponse with the error as its body, because clients read one or the other.
    400 means that the request itself is invalid. A path that GraphPipe does not use gets a JSON error, because its
    caller speaks another protocol.
    """

    def __init__(self, models: Models, bodies: RequestBodies) -> None:
        self._models = models
        self._bodies = bodies

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to infer. Every error is a response."""
        headers: Headers
        held_bytes = 0
        try:
            body, held_bytes = await self._bodies.read(receive)
            try:
                model = find(self._models, scope["path"])
            except RequestError as error:
                if _PATH.fullmatch(scope["path"]) and not _is_json(body):
                    raise
                if error.status == 404:
                    error = wrong_path(self._models, scope["path"])
                await send_response(send, error.status, error_headers(error.status, JSON), error_json(error))
                return
            if _is_json(body):
                hint = inference_hint(self._models)
                raise RequestError(400, f"not a GraphPipe request: the body is JSON; {hint}")
            response, headers, status = await _respond(model, body), [BINARY, *model_headers(model)], 200
        except RequestError as error:
            errors = (graphpipe.ErrorMessage(error.code, str(error)),)
            response = graphpipe.encode_infer_response(graphpipe.InferResponse(errors=errors))
            status, headers = error.status, error_headers(error.status, BINARY)
        except ConnectionError:  # the client disconnected
            return
        finally:
            self._bodies.release(held_bytes)
        await send_response(send, status, headers, response)

    def get(self, path: str) -> tuple[Headers, bytes]:
        """Headers and JSON body of the metadata. Raises RequestError."""
        if not _PATH.fullmatch(path):
            raise wrong_path(self._models, path)
        model = find(self._models, path)
        return [JSON, *model_headers(model)], _metadata_json(model.metadata)


async def _respond(model: Model, body: bytes | bytearray) -> bytes:
    """The encoded response to a request. Raises RequestError."""
    try:
        request = graphpipe.decode_request(body)
        if isinstance(request, graphpipe.MetadataRequest):
            return graphpipe.encode_metadata_response(model.metadata)
        names = model.requested_outputs(request.output_names)
        outputs = await model.submit(request.input_tensors, request.input_names)
        return graphpipe.encode_infer_response(
            graphpipe.InferResponse(tuple([outputs[name] for name in names]))
        )
    except graphpipe.InvalidMessage as error:
        raise malformed(f"not a GraphPipe request: {error}", model, model.input_summary) from None
    except Exception as error:
        raise to_request_error(error, model) from None


def _is_json(body: bytes | bytearray) -> bool:
    """Whether a body is JSON. A flatbuffer begins with an offset that is a multiple of four, which { and [ are not."""
    return body[:1] in (b"{", b"[")


def _metadata_json(metadata: graphpipe.MetadataResponse) -> bytes:
    """The same JSON document as the GraphPipe reference server returns for GET /."""

    def as_json(ios: tuple[graphpipe.IOMetadata, ...]) -> list[dict[str, object]]:
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
            "Inputs": as_json(metadata.inputs),
            "Outputs": as_json(metadata.outputs),
        }
    ).encode()
