"""CloudEvents in binary mode: between the headers of a Kafka record and those of HTTP."""

from collections.abc import Iterable, Mapping


def to_http(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """`ce_id` becomes `ce-id`."""
    return {name.replace("ce_", "ce-", 1): value.decode() for name, value in headers}


def to_record(headers: Mapping[str, str]) -> dict[str, str]:
    """`ce-id` becomes `ce_id`; what HTTP itself needs is left out."""
    return {
        lower.replace("ce-", "ce_", 1): value
        for name, value in headers.items()
        if (lower := name.lower()).startswith("ce-") or lower == "content-type"
    }
