"""Deliveries and batches: what is pending, and the key and size of a window's delivery."""

from __future__ import annotations

from array import array

import pytest

from fncast.series.step import Step
from interceptor.assembly.window import Window, window_event
from interceptor.delivery import Batch, Delivery, Record, Tick, UnreadableRecord
from interceptor.outcome import Skipped
from tests.interceptor.deliveries import new_delivery

STEP = Step.seconds(60)


def window_of(parent: Delivery, series: str) -> Delivery:
    """A delivery of a window with four readings that the parent's record completed."""
    window = Delivery(parent.record, parent.generation, parent)
    window.event = window_event(Window(series, 0, 240 * 10**9, STEP, array("d", [1.0] * 4)), "kafka:metrics")
    return window


def unread(value: bytes | None = b"{") -> Delivery:
    return Delivery(Record("metrics", 0, 0, 0, b"key", value, []))


def test_deliveries_without_an_outcome_are_pending_in_input_order() -> None:
    first, settled, third = new_delivery(1), new_delivery(2), new_delivery(3)
    settled.outcome = Skipped("done")
    assert Batch([first, settled, third]).pending() == [first, third]


def test_a_record_that_is_not_an_event_and_a_tick_are_not_pending() -> None:
    tick = Delivery(Tick("metrics", 0, 0, 1000, None, None, []))
    assert Batch([unread(), tick]).pending() == []


def test_windows_take_the_place_of_their_record() -> None:
    record, after = unread(), new_delivery(1)
    record.windows = [window_of(record, "a"), window_of(record, "b"), window_of(record, "c")]
    record.windows[1].outcome = Skipped("done")
    assert Batch([record, after]).pending() == [record.windows[0], record.windows[2], after]


def test_the_key_of_a_window_is_its_series() -> None:
    record = unread()
    assert record.key == b"key"
    assert window_of(record, "café").key == "café".encode()


def test_the_size_of_a_window_is_that_of_its_event() -> None:
    record = unread(b"x" * 10_000)
    window = window_of(record, "a")
    assert record.size == 10_000
    assert window.size == window.opened.size < 1000
    assert unread(None).size == 0


def test_a_record_that_is_not_an_event_cannot_be_opened() -> None:
    with pytest.raises(AssertionError):
        _ = unread().opened


def test_only_a_record_without_its_headers_has_a_flaw() -> None:
    fields = ("metrics", 0, 0, 0, None, b"", [])
    assert Record(*fields).flaw == ""
    assert "not valid UTF-8" in UnreadableRecord(*fields).flaw
