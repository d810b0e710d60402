"""A dead letter as it is read from its topic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fncast.foreign_text import clean
from interceptor import dead_letter
from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Record
from interceptor.errors import InvalidEvent

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_REASON = dead_letter.MAX_DATA_BYTES  # characters
MAX_HEADER = 64  # characters shown of a header that should be a number or a short name
_NUMBER = re.compile(r"[0-9]{1,18}")


class StoredDeadLetter:
    """One dead letter: its record and its headers. Any program may have written them, so they are not trusted."""

    def __init__(self, letter: Record) -> None:
        self.record = letter
        self.headers, added = dead_letter.split_headers(letter)
        names = dead_letter.ADDED_HEADERS
        values = {name: value for name, value in added or letter.headers if name in names and value}
        self._added = {name: value.decode("utf-8", "replace") for name, value in values.items()}

    @property
    def place(self) -> str:
        """Where the letter is in its topic: PARTITION/OFFSET."""
        return f"{self.record.partition}/{self.record.offset}"

    @property
    def reason(self) -> str:
        """Why the record was rejected, on one line; the record's flaw if no header says it."""
        reason = self._added.get("fncast-reason") or self._added.get("knativeerrordata", "")
        return clean(reason, MAX_REASON) or self.record.flaw

    @property
    def attempts(self) -> int | str:
        """How many calls were made for the event; the header's text if it is not a number."""
        text = self._added.get("fncast-attempts", "0")
        number = _number(text)
        return clean(text, MAX_HEADER) if number is None else number

    @property
    def topic(self) -> str | None:
        """The input topic that the letter names."""
        return self._added.get("fncast-topic")

    @property
    def partition(self) -> int | None:
        """The partition of the input topic; None if the letter does not name a number."""
        return _number(self._added.get("fncast-partition", ""))

    @property
    def refused_at(self) -> datetime | None:
        """When the letter was written. None if it has no timestamp, or one beyond the year 9999."""
        if self.record.timestamp_ms < 0:
            return None
        try:
            return EPOCH + timedelta(milliseconds=self.record.timestamp_ms)
        except OverflowError:
            return None

    def attributes(self) -> Mapping[str, Any]:
        """The event's attributes; for a record that is not an event, those in its headers."""
        try:
            return read_event(self.headers, self.record.value).attributes
        except InvalidEvent:
            named = {name[3:]: value for name, value in self.headers if name.startswith("ce_") and value}
            return {name: value.decode("utf-8", "replace") for name, value in named.items()}


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
