"""The headers of a record."""

from __future__ import annotations

import pytest

from fncast.dashboard.events.record import Headers, ReceivedRecord


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], None),
        ([("ce_id", b"1")], "1"),
        ([("CE_Id", b"1")], "1"),
        ([("ce_id", b"1"), ("ce_id", b"2")], "2"),  # the last one counts
        ([("ce_id", b"1"), ("ce_id", None)], None),
        ([("ce_id", b"\xff")], "�"),
        ([("ce_id2", b"1")], None),
    ],
)
def test_the_last_header_of_a_name_counts_in_any_case(headers: Headers, found: str | None) -> None:
    assert ReceivedRecord("t", 0, 0, None, None, headers).header("ce_id") == found
