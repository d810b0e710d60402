"""Errors, classed by what the caller does next. Anything else is a bug: the consumer stops uncommitted.

Their texts may quote events, functions and servers; they are cleaned here, since they go to logs and terminals."""

from __future__ import annotations

from fncast.foreign_text import clean

# More than any reason has; texts are redacted before they are cut to what a dead letter holds.
MAX_CHARACTERS = 8192


class InvalidEvent(Exception):
    """The record is no event that fncast can deliver: its delivery becomes a dead letter with this text."""

    def __init__(self, reason: str) -> None:
        super().__init__(clean(reason, MAX_CHARACTERS))


class RetriableError(Exception):
    """The call may succeed later, with the same events. `retry_after_s` is what the peer asked for, if it did.

    `is_sent` is False where no connection was had: whatever is wrong, these events have not caused it. `code` is the
    HTTP status of the answer, if there was one."""

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


class Refused(Exception):
    """The function refuses these events because of their content: asking again would not help.

    `code` is the HTTP status. A batch is split to find the event that is meant.
    """

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(clean(reason, MAX_CHARACTERS))
        self.code = code
