"""The error for requests to paths that do not exist."""

from __future__ import annotations

from model_service.serving.repository import Models
from model_service.serving.request_error import RequestError

# Characters of a path that an error quotes.
MAX_SHOWN_PATH = 200


def inference_hint(models: Models) -> str:
    """The end of an error message: the paths of inference."""
    hint = "inference is POST /v2/models/NAME/infer (JSON) or POST /NAME (GraphPipe)"
    example = models.paths.get("/") or next(iter(models.paths.values()), None)
    return f"{hint}, for example /v2/models/{example.name}/infer" if example is not None else hint


def wrong_path(models: Models, path: str) -> RequestError:
    """The error for a path that no protocol of the server uses."""
    return RequestError(404, f"nothing at {path[:MAX_SHOWN_PATH]!r}; {inference_hint(models)}")
