"""A record as read from a topic."""

from __future__ import annotations

from dataclasses import dataclass, field

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """One record.

    timestamp_s: in seconds since 1970, None if the record has no timestamp. headers: in order, with repeats.
    is_live: whether it was written after the reader started; False for the history that the reader begins with.
    """

    topic: str
    partition: int
    offset: int
    timestamp_s: float | None
    value: bytes | None
    headers: Headers = field(default_factory=list)
    is_live: bool = True
    key: bytes | None = None

    def header(self, name: str) -> str | None:
        """The value of the last header with this name, as a string; None if there is none.

        name: in lower case; matches headers in any case.
        """
        for header, value in reversed(self.headers):
            if header.lower() == name:
                return None if value is None else value.decode("utf-8", "replace")
        return None
