"""Reads the CloudEvent in a record. Tolerates every fault that does not prevent showing the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from fncast.dashboard.events.record import ReceivedRecord
from fncast.wording.json import describe

# The prefix that marks structured mode: CloudEvents' Kafka binding, section 3.
STRUCTURED = "application/cloudevents"
PREFIX = "ce_"


class NotAnEvent(ValueError):
    """The record does not hold a CloudEvent. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A CloudEvent.

    attributes: everything except the data. data: a JSON value, or bytes if it is not JSON.
    """

    attributes: dict[str, Any]
    data: Any

    @property
    def id(self) -> str:
        """Unique among the events of one source."""
        return str(self.attributes["id"])

    @property
    def source(self) -> str:
        """Where the event comes from, a URI reference."""
        return str(self.attributes["source"])

    @property
    def type(self) -> str:
        """For example `io.fncast.forecast.v1`."""
        return str(self.attributes["type"])

    @property
    def subject(self) -> str:
        """The series name: the subject, or the source if there is no subject."""
        return str(self.attributes.get("subject") or self.source)

    def text(self, name: str) -> str | None:
        """An attribute as a string, None if it is missing."""
        value = self.attributes.get(name)
        return None if value is None else str(value)

    def document(self) -> bytes:
        """The event in CloudEvents' JSON format, on one line. Raises NotAnEvent if its data is nested too deeply."""
        document = dict(self.attributes)
        if isinstance(self.data, bytes):
            import base64  # rarely needed

            document["data_base64"] = base64.b64encode(self.data).decode()
        elif self.data is not None:
            document["data"] = self.data
        try:
            return orjson.dumps(document)
        except orjson.JSONEncodeError as error:
            raise NotAnEvent(f"the event cannot be written as JSON: {error}") from None


def parse(record: ReceivedRecord) -> ReceivedEvent:
    """Read the event in a record, in binary or structured mode. Null and empty attributes are absent.

    Raises NotAnEvent.
    """
    content_type = (record.header("content-type") or "").lower()
    if content_type.startswith(STRUCTURED):
        attributes, data = _structured(record)
    else:
        attributes, data = _binary(record, content_type)
    missing = [name for name in ("id", "source", "type") if not attributes.get(name)]
    if missing:
        raise NotAnEvent(f"{' and '.join(missing)} missing")
    return ReceivedEvent({name: value for name, value in attributes.items() if value not in (None, "")}, data)


def _structured(record: ReceivedRecord) -> tuple[dict[str, Any], Any]:
    try:
        document = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError as error:
        raise NotAnEvent(f"not JSON: {describe(error)}") from None
    if not isinstance(document, dict):
        raise NotAnEvent("not a JSON object")
    data = document.pop("data", None)
    encoded = document.pop("data_base64", None)
    if encoded is not None:
        import base64  # rarely needed

        if data is not None:
            raise NotAnEvent("both data and data_base64")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (ValueError, TypeError):
            raise NotAnEvent("data_base64 is not Base64") from None
    return document, data


def _binary(record: ReceivedRecord, content_type: str) -> tuple[dict[str, Any], Any]:
    attributes: dict[str, Any] = {
        name[len(PREFIX) :].lower(): value.decode("utf-8", "replace")
        for name, value in record.headers
        if value is not None and name[: len(PREFIX)].lower() == PREFIX
    }
    if content_type:
        attributes["datacontenttype"] = record.header("content-type")
    if record.value is None or (content_type and "json" not in content_type):
        return attributes, record.value
    try:
        return attributes, orjson.loads(record.value)
    except orjson.JSONDecodeError as error:
        raise NotAnEvent(f"the data is not JSON: {describe(error)}") from None
