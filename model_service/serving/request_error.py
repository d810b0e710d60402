"""How a request is refused, whatever its protocol."""

from __future__ import annotations

import logging

from model_service.protocols import graphpipe
from model_service.serving.model import DoesNotFit, Model, UnknownTensor
from model_service.serving.request_queue import Overloaded, TooManyRows
from model_service.serving.runtimes.runtime import RefusedInput

log = logging.getLogger(__name__)

# What a refused client is asked to wait where it may come back.
RETRY_AFTER_S = 1
# A reason may quote names of the request; a longer one is cut.
MAX_REASON_CHARS = 1500


class RequestError(Exception):
    """An answer other than 200. code: the one in GraphPipe's InferResponse, if it is not the HTTP status.

    The text is the reason, at most MAX_REASON_CHARS long."""

    def __init__(self, status: int, reason: str, code: int | None = None) -> None:
        super().__init__(reason if len(reason) <= MAX_REASON_CHARS else f"{reason[:MAX_REASON_CHARS]}…")
        self.status = status
        self.code = code or status


def contradictory(reason: str, model: Model, takes: str) -> RequestError:
    """The error for a request that contradicts itself. takes: the inputs of the model, as its protocol names them."""
    return RequestError(400, f"{reason[: MAX_REASON_CHARS // 2]}; {model} takes {takes} (-1: any length)")


def refused(error: Exception, model: Model) -> RequestError:
    """What an error of `Model.submit`, of its future or of `Model.asked` is to the caller."""
    if isinstance(error, DoesNotFit):
        return RequestError(400, str(error), graphpipe.DOES_NOT_FIT)
    if isinstance(error, UnknownTensor | RefusedInput):
        return RequestError(400, str(error))
    if isinstance(error, TooManyRows):
        return RequestError(413, str(error))
    if isinstance(error, Overloaded):
        return RequestError(503, str(error))
    # The model failed: its bug, and to be seen in the log.
    log.error("%s failed", model, exc_info=error)
    return RequestError(500, f"{model} failed: {type(error).__name__}: {error}")
