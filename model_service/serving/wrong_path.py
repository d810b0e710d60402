"""How a request to a path that the server does not have is refused, whatever its method."""

from __future__ import annotations

from model_service.serving.repository import Models
from model_service.serving.request_error import RequestError

# Of a path that an error quotes.
MAX_SHOWN_PATH = 200


def inference_hint(models: Models) -> str:
    """Where inference is, as the end of an error's text."""
    hint = "inference is POST /v2/models/NAME/infer (JSON) or POST /NAME (GraphPipe)"
    example = models.paths.get("/") or next(iter(models.paths.values()), None)
    return f"{hint}, for example /v2/models/{example.name}/infer" if example is not None else hint


def wrong_path(models: Models, path: str) -> RequestError:
    """The error for a path that no protocol of this server knows."""
    return RequestError(404, f"nothing at {path[:MAX_SHOWN_PATH]!r}; {inference_hint(models)}")
