"""Topics of one partition number are merged in the order of their records' timestamps."""

from __future__ import annotations

from fncast.monitor.merge import PATIENCE_S, Merge
from interceptor.delivery import Delivery, Record, Tick
from interceptor.outcome import Skipped
from tests.fake_clock import FakeClock


def delivery(topic: str, offset: int, at_ms: int, kind: type[Record] = Record) -> Delivery:
    return Delivery(kind(topic, 0, offset, at_ms, None, None, []))


def ready(merge: Merge, *deliveries: Delivery) -> list[tuple[str, int]]:
    return [(found.record.topic, found.record.offset) for found in merge.ready(deliveries)]


def test_records_come_in_the_order_of_their_timestamps() -> None:
    merge = Merge(("a", "b"), FakeClock())
    records = [delivery("a", 0, 10), delivery("a", 1, 30), delivery("b", 0, 20), delivery("b", 1, 30)]
    assert ready(merge, *records) == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_a_record_waits_until_the_other_topic_has_come_so_far() -> None:
    merge = Merge(("a", "b"), FakeClock())
    first, second = delivery("a", 0, 10), delivery("a", 1, 30)
    assert ready(merge, first, second, delivery("b", 0, 20)) == [("a", 0), ("b", 0)]
    third = delivery("a", 2, 31)
    assert ready(merge, third) == []  # the second is not back yet
    assert ready(merge, second, delivery("b", 5, 40, Tick)) == [("a", 1)]
    assert ready(merge, third) == [("a", 2)]


def test_a_silent_topic_is_not_waited_for_forever() -> None:
    clock = FakeClock()
    merge = Merge(("a", "b"), clock)
    record = delivery("a", 0, 10)
    assert ready(merge, record) == []
    clock.now_s = PATIENCE_S
    assert ready(merge, record) == [("a", 0)]


def test_records_that_come_back_in_parts_keep_the_order() -> None:
    clock = FakeClock()
    merge = Merge(("a", "b"), clock)
    first = [delivery("a", at, 10 * at) for at in range(10)]
    later = [delivery("a", at, 10 * at) for at in range(10, 20)]
    other = [delivery("b", at, 10 * at + 5) for at in range(20)]
    assert ready(merge, *first) == []
    assert ready(merge, *later) == []
    order = []
    for _ in range(40):
        for part in (first, later, other):
            done = merge.ready([each for each in part if each.outcome is None])
            for each in done:
                each.outcome = Skipped("processed")
                order.append(each.record.timestamp_ms)
    assert order == sorted(order)
    assert len(order) == 39  # the last one waits for a tick of the other topic
