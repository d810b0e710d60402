"""Errors returned to callers, common to all protocols."""

from __future__ import annotations

import logging

from model_service.protocols import graphpipe
from model_service.serving.model import DoesNotFit, Model, UnknownTensor
from model_service.serving.request_queue import Overloaded, TooManyRows
from model_service.serving.runtimes.runtime import RejectedInput

log = logging.getLogger(__name__)

# Value of Retry-After in seconds.
RETRY_AFTER_S = 1
# A reason may quote names from the request, so its length is limited.
MAX_REASON_CHARS = 1500


class RequestError(Exception):
    """A response other than 200. The text is the reason, at most MAX_REASON_CHARS long.

    status: the HTTP status. code: the code in a GraphPipe InferResponse, if it differs from the status.
    """

    def __init__(self, status: int, reason: str, code: int | None = None) -> None:
        super().__init__(reason if len(reason) <= MAX_REASON_CHARS else f"{reason[:MAX_REASON_CHARS]}…")
        self.status = status
        self.code = code or status


def malformed(reason: str, model: Model, takes: str) -> RequestError:
    """The error for a malformed request. takes: the inputs of the model, in the terms of the protocol."""
    return RequestError(400, f"{reason[: MAX_REASON_CHARS // 2]}; {model} takes {takes} (-1: any length)")


def to_request_error(error: Exception, model: Model) -> RequestError:
    """Translate an error of `Model.submit`, of its future or of `Model.requested_outputs` for the caller."""
    if isinstance(error, DoesNotFit):
        return RequestError(400, str(error), graphpipe.DOES_NOT_FIT)
    if isinstance(error, UnknownTensor | RejectedInput):
        return RequestError(400, str(error))
    if isinstance(error, TooManyRows):
        return RequestError(413, str(error))
    if isinstance(error, Overloaded):
        return RequestError(503, str(error))
    # The model itself failed.
    log.error("%s failed", model, exc_info=error)
    return RequestError(500, f"{model} failed: {type(error).__name__}: {error}")
