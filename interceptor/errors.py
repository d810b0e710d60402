"""Errors by what the caller does next. Any other exception is a bug: the consumer stops without a commit.

Messages may quote events, functions and servers. They are cleaned here, because they go to logs and terminals.
"""

from __future__ import annotations

from fncast.foreign_text import clean

# Longer than any reason. Texts are redacted before they are cut to the size of a dead letter's header.
MAX_CHARACTERS = 8192


class InvalidEvent(Exception):
    """The record is not an event that fncast can deliver. Its delivery becomes a dead letter with this message."""

    def __init__(self, reason: str) -> None:
        super().__init__(clean(reason, MAX_CHARACTERS))


class RetriableError(Exception):
    """The call may succeed later with the same events.

    retry_after_s: the wait that the function asked for, if any. code: HTTP status of the response, if any.
    is_sent: False if the events were not sent, for example without a connection, so they cannot be the cause.
    """

    def __init__(
        self,
        reason: str,
        retry_after_s: float | None = None,
        *,
        is_sent: bool = True,
        code: int | None = None,
    ) -> None:
        super().__init__(clean(reason, MAX_CHARACTERS))
        self.retry_after_s = retry_after_s
        self.is_sent = is_sent
        self.code = code


class Rejected(Exception):
    """The function rejects these events because of their content, so a retry does not help.

    code: the HTTP status. A batch is split to find the event that caused it. is_sent: False if the event cannot be
    sent, so the function has not answered.
    """

    def __init__(self, reason: str, code: int, *, is_sent: bool = True) -> None:
        super().__init__(clean(reason, MAX_CHARACTERS))
        self.code = code
        self.is_sent = is_sent


class StateError(Exception):
    """State of a partition cannot be read. The message says why, and how to rebuild it."""
