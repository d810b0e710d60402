"""CloudEvents in binary mode: converts headers between Kafka records and HTTP."""

from collections.abc import Iterable, Mapping


def to_http(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Convert `ce_id` to `ce-id`."""
    return {name.replace("ce_", "ce-", 1): value.decode() for name, value in headers}


def to_record(headers: Mapping[str, str]) -> dict[str, str]:
    """Convert `ce-id` to `ce_id`, and drop HTTP's other headers except the content type."""
    return {
        lower.replace("ce-", "ce_", 1): value
        for name, value in headers.items()
        if (lower := name.lower()).startswith("ce-") or lower == "content-type"
    }
