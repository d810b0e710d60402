"""How a request is refused."""

from __future__ import annotations


class RequestError(Exception):
    """An answer other than 200. code: the one in the InferResponse, if it is not the HTTP status."""

    def __init__(self, status: int, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code or status
