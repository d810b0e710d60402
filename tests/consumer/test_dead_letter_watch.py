"""Which dead letters are logged, and which topics are paused."""

from __future__ import annotations

from typing import get_args

import pytest
from prometheus_client import REGISTRY

from consumer.dead_letter_watch import LOG_S, MAX_REASON, DeadLetterWatch
from interceptor.delivery import Delivery, Record, Tick
from interceptor.outcome import Assembled, DeadLetter, DeadLetterKind, Forecast, Outcome, Skipped


class Harness:
    """A watch, and records that are settled one after the other."""

    def __init__(self, pause_after: int) -> None:
        self.now_s = 0.0
        self.watch = DeadLetterWatch("dead", pause_after, lambda: self.now_s)
        self.offset = 0

    def settle(self, *outcomes: Outcome, topic: str = "metrics") -> list[bool]:
        return [self.watch.published(self.delivery(outcome, topic)) for outcome in outcomes]

    def delivery(self, outcome: Outcome, topic: str = "metrics") -> Delivery:
        delivery = Delivery(Record(topic, 0, self.offset, 0, None, b"", []))
        self.offset += 1
        delivery.outcome = outcome
        return delivery


NO_EVENT = DeadLetter("no CloudEvent", kind="not_an_event")
NO_ROUTE = DeadLetter("no destination", kind="no_destination")


def test_the_first_of_a_kind_is_a_warning_and_the_others_one_line_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = Harness(pause_after=0)
    harness.watch.log_counts()
    harness.settle(*[NO_EVENT] * 2000, *[NO_ROUTE] * 3)
    assert len(caplog.messages) == 2
    assert caplog.messages[0].startswith(
        "metrics/0, offset 0: the record becomes a dead letter on dead: no CloudEvent."
    )
    assert caplog.messages[1].startswith("metrics/0, offset 2000: ")
    caplog.clear()
    harness.now_s = LOG_S - 1
    harness.watch.log_counts()
    assert caplog.messages == []
    harness.now_s = LOG_S
    harness.watch.log_counts()
    harness.watch.log_counts()
    assert caplog.messages == ["metrics: more dead letters on dead (not_an_event: 1,999, no_destination: 2)"]
    harness.now_s = 3 * LOG_S
    harness.watch.log_counts()
    assert len(caplog.messages) == 1  # nothing new, nothing to say


def test_a_topic_whose_first_records_are_all_rejected_for_one_reason_is_paused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = Harness(pause_after=5)
    assert harness.settle(*[NO_EVENT] * 5) == [False] * 4 + [True]
    assert harness.watch.is_paused("metrics")
    assert not harness.watch.is_paused("other")
    sentence = harness.watch.paused["metrics"]
    assert sentence in caplog.messages
    for part in ("metrics: the first 5 records", "no CloudEvent", "restart", "pause_after_refused = 0"):
        assert part in sentence
    harness.watch.log_counts()
    harness.now_s = LOG_S
    harness.watch.log_counts()
    assert caplog.messages[-1].startswith("metrics is still paused")
    assert REGISTRY.get_sample_value("fncast_input_paused", {"topic": "metrics"}) == 1


@pytest.mark.parametrize(
    "outcomes",
    [
        [NO_EVENT, NO_ROUTE],
        [Skipped("expired")],
        [Forecast([])],
        [NO_EVENT, NO_EVENT, Forecast([])],
    ],
)
def test_a_topic_whose_first_records_have_different_outcomes_is_never_paused(outcomes: list[Outcome]) -> None:
    harness = Harness(pause_after=5)
    harness.settle(*outcomes, *[NO_EVENT] * 100)
    assert harness.watch.paused == {}


def test_zero_never_pauses() -> None:
    harness = Harness(pause_after=0)
    harness.settle(*[NO_EVENT] * 3000)
    assert harness.watch.paused == {}


def test_each_topic_is_counted_separately() -> None:
    harness = Harness(pause_after=3)
    harness.settle(*[NO_EVENT] * 3)
    harness.settle(Forecast([]), *[NO_EVENT] * 3, topic="good")
    assert list(harness.watch.paused) == ["metrics"]


def test_a_dead_letter_that_is_published_again_is_counted_once() -> None:
    harness = Harness(pause_after=5)
    before = counted("not_an_event")
    deliveries = [harness.delivery(NO_EVENT) for _ in range(3)]
    for _ in range(4):
        assert [harness.watch.published(delivery) for delivery in deliveries] == [False] * 3
    assert counted("not_an_event") - before == 3
    harness.watch.assigned([("metrics", 0)])  # read again from the group's offset
    assert [harness.watch.published(delivery) for delivery in deliveries] == [False, True, True]


def test_a_forecast_that_turns_into_a_dead_letter_is_counted_after_a_later_dead_letter(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The broker rejects the forecast, so the transaction with both records is published again."""
    harness = Harness(pause_after=0)
    rejected, later = harness.delivery(Forecast([])), harness.delivery(NO_EVENT)
    before = counted("not_publishable")
    for delivery in (rejected, later):
        harness.watch.published(delivery)
    rejected.outcome = DeadLetter("its forecast cannot be published", kind="not_publishable")
    for _ in range(2):
        for delivery in (rejected, later):
            harness.watch.published(delivery)
    assert counted("not_publishable") == before + 1
    assert "its forecast cannot be published" in caplog.messages[-1]


def tick(offset: int, time_ms: int, outcome: Outcome) -> Delivery:
    delivery = Delivery(Tick("metrics", 0, offset, time_ms, None, None, []))
    delivery.outcome = outcome
    return delivery


def test_rejected_windows_of_each_tick_are_counted_although_ticks_repeat_an_offset() -> None:
    harness = Harness(pause_after=0)
    before = counted("no_destination")
    ticks = [tick(7, time_ms, Assembled()) for time_ms in (1000, 1250)]
    for delivery in ticks:
        delivery.windows = [tick(7, 0, NO_ROUTE)]
    for delivery in [*ticks, *ticks]:
        harness.watch.published(delivery)
    assert counted("no_destination") == before + 2


def test_a_tick_does_not_keep_a_topic_from_being_paused() -> None:
    harness = Harness(pause_after=2)
    harness.watch.published(tick(0, 0, Skipped("the tick completed nothing")))
    assert harness.settle(NO_EVENT, NO_EVENT) == [False, True]


def test_what_is_committed_is_not_remembered() -> None:
    harness = Harness(pause_after=0)
    deliveries = [harness.delivery(NO_EVENT) for _ in range(3)]
    before = counted("not_an_event")
    for _ in range(2):
        for delivery in deliveries:
            harness.watch.published(delivery)
        harness.watch.committed({("metrics", 0): 2, ("other", 0): 5})
    assert counted("not_an_event") == before + 5


def counted(kind: str) -> float:
    return REGISTRY.get_sample_value("fncast_dead_letters_total", {"topic": "metrics", "kind": kind}) or 0.0


@pytest.mark.parametrize("kind", get_args(DeadLetterKind))
def test_the_metric_has_a_label_of_a_fixed_set(kind: DeadLetterKind) -> None:
    harness = Harness(pause_after=0)
    before = counted(kind)
    harness.settle(DeadLetter("any text at all", kind=kind))
    assert counted(kind) == before + 1


def test_foreign_text_in_a_reason_is_one_bounded_line(caplog: pytest.LogCaptureFixture) -> None:
    Harness(pause_after=1).settle(DeadLetter("\x1b[2J\r\n2026-01-01 INFO forged" + "x" * 100_000))
    for message in caplog.messages:
        assert message.isprintable()
        assert len(message) < 2 * MAX_REASON + 500


def test_rejected_windows_count_for_their_record_and_do_not_pause_the_topic() -> None:
    harness = Harness(pause_after=1)
    record = harness.delivery(Assembled())
    record.windows = [harness.delivery(NO_EVENT), harness.delivery(Skipped("")), harness.delivery(NO_EVENT)]
    labels = {"topic": "metrics", "kind": "not_an_event"}
    before = REGISTRY.get_sample_value("fncast_dead_letters_total", labels) or 0.0
    assert [harness.watch.published(record) for _ in range(2)] == [False, False]
    assert REGISTRY.get_sample_value("fncast_dead_letters_total", labels) == before + 2
