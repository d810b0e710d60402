"""The readings of a record, as formats collect them."""

from __future__ import annotations

from interceptor.readings.contract import Decoded, Skip


def test_readings_are_kept_in_order_in_lists_of_equal_length() -> None:
    decoded = Decoded()
    decoded.add("a", 1, 0.5)
    decoded.add("b", 2, 1.5)
    assert (decoded.keys, decoded.times_ns, decoded.values) == (["a", "b"], [1, 2], [0.5, 1.5])


def test_skipped_readings_are_counted_by_reason() -> None:
    decoded = Decoded()
    decoded.skip(Skip.TEXT)
    decoded.skip(Skip.TEXT, 3)
    decoded.skip(Skip.NO_TIME)
    assert decoded.skipped == {Skip.TEXT: 4, Skip.NO_TIME: 1}


def test_two_records_share_no_readings() -> None:
    first, second = Decoded(), Decoded()
    first.add("a", 1, 0.5)
    first.skip(Skip.STALE)
    assert second == Decoded([], [], [], {})
