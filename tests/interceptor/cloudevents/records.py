"""Headers and members of records that are events."""

BINARY = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"1"),
    ("ce_source", b"/test"),
    ("ce_type", b"io.fncast.window.v1"),
    ("content-type", b"application/json"),
]


STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]


EVENT = {"specversion": "1.0", "id": "1", "source": "/test", "type": "t"}


def without(name: str) -> list[tuple[str, bytes]]:
    return [pair for pair in BINARY if pair[0] != name]
