"""The bytes of a snapshot."""

from __future__ import annotations

import msgspec
import pytest

from interceptor.assembly.snapshot_format import (
    BUCKET,
    BUCKET_KEY,
    VERSION,
    Bucket,
    Head,
    read_buckets,
    read_head,
)
from interceptor.assembly.snapshot_format import encode as encoded


def head(series: int = 0, version: int = VERSION, offset: int = 10) -> Head:
    return Head(version, offset, 0, series, "shape")


def buckets(*offsets: int) -> dict[bytes, bytes | None]:
    """Buckets without series, by key."""
    return {BUCKET_KEY % number: encoded(Bucket(offset, [])) for number, offset in enumerate(offsets)}


@pytest.mark.parametrize(("version", "age"), [(VERSION + 1, "a newer"), (0, "an unknown")])
def test_another_format_is_named(version: int, age: str) -> None:
    with pytest.raises(ValueError, match=f"written by {age} version of fncast .format {version}, this one"):
        read_head(encoded(head(version=version)))


def test_a_newer_format_may_have_other_members() -> None:
    with pytest.raises(ValueError, match="a newer version"):
        read_head(msgspec.msgpack.encode([VERSION + 1, {"other": "members"}]))


def test_a_head_is_read_as_it_was_written() -> None:
    assert read_head(encoded(head(3))) == head(3)


def test_a_bucket_that_is_missing_or_short_is_named() -> None:
    with pytest.raises(ValueError, match="bucket 0 is missing"):
        read_buckets({}, head(1), BUCKET)
    with pytest.raises(ValueError, match="bucket 0 has too few series"):
        read_buckets(buckets(10), head(BUCKET), BUCKET)


def test_a_bucket_behind_the_last_counts_if_it_is_newer_than_the_head() -> None:
    assert read_buckets(buckets(10), head(0), BUCKET) == []
    assert len(read_buckets(buckets(11), head(0), BUCKET)) == 1
