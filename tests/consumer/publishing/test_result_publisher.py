"""Results: which record goes where."""

from __future__ import annotations

import time
from array import array

import pytest
from prometheus_client import REGISTRY

from consumer.errors import ConsumerError, RecordRejected, RecordTooLarge
from consumer.publishing.result_publisher import BY_KEY, ResultPublisher
from fncast.series.step import Step
from interceptor.assembly.window import Window, window_event
from interceptor.chain import mark_done
from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Forecast, OutputEvent, Skipped


class Publisher:
    def __init__(self, partitions: dict[str, int], limit: int = 100) -> None:
        self.counts, self.limit = partitions, limit
        self.records: list[tuple] = []
        self.rejects: set[str] = set()
        self.rejection: type[RecordRejected] = RecordTooLarge

    def partitions_of(self, topic):
        return self.counts.get(topic, 0)

    def fits(self, topic, key, value, headers):
        return len(value or b"") < self.limit

    def publish(self, topic, partition, key, value, headers):
        if topic in self.rejects:
            raise self.rejection("rejected")
        self.records.append((topic, partition, key, value, headers))


def delivery(outcome, value=b"in") -> Delivery:
    built = Delivery(Record("metrics", 3, 7, 1000, b"key", value, [("a", b"b")]))
    built.outcome = outcome
    return built


@pytest.fixture
def publisher():
    return Publisher({"metrics": 4, "forecasts": 4, "dead": 2})


@pytest.fixture
def results(publisher):
    built = ResultPublisher(publisher, "forecasts", "dead")
    assert built.knows_partitions("metrics")
    return built


def test_a_forecast_keeps_key_and_partition_if_both_topics_have_equally_many(results, publisher):
    results.publish(delivery(Forecast([OutputEvent([("h", b"1")], b"out"), OutputEvent([], b"2")])))
    assert publisher.records == [
        ("forecasts", 3, b"key", b"out", [("h", b"1")]),
        ("forecasts", 3, b"key", b"2", []),
    ]


@pytest.mark.parametrize(
    ("timestamp_ms", "counted_s", "times"),
    [
        (lambda now_s: (now_s + 10**9) * 1000, 0.0, 1),
        (lambda now_s: (now_s + 0.001) * 1000, 0.0, 1),
        (lambda now_s: (now_s - 5) * 1000, 5.0, 1),
        (lambda now_s: -1, 0.0, 0),  # the record has no timestamp
        (lambda now_s: 1, 0.0, 0),
        (lambda now_s: now_s, 0.0, 0),  # seconds instead of milliseconds
    ],
)
def test_the_time_of_an_event_is_measured_from_valid_timestamps_only(results, timestamp_ms, counted_s, times):
    def sample(what):
        return REGISTRY.get_sample_value(f"fncast_event_seconds_{what}") or 0.0

    sum_s, count = sample("sum"), sample("count")
    built = delivery(Skipped("no"))
    built.record.timestamp_ms = int(timestamp_ms(time.time()))
    results.publish(built)
    results.count()
    assert sample("sum") - sum_s == pytest.approx(counted_s, abs=1.0)
    assert sample("sum") >= sum_s
    assert sample("count") - count == times


def test_a_record_goes_by_key_if_the_numbers_of_partitions_differ(results, publisher):
    results.publish(delivery(DeadLetter("no")))
    ((topic, partition, key, value, headers),) = publisher.records
    assert (topic, partition, key, value) == ("dead", BY_KEY, b"key", b"in")
    assert headers[0] == ("a", b"b")
    assert ("fncast-reason", b"no") in headers


def test_partitions_are_counted_again_when_others_are_assigned(results, publisher):
    results.publish(delivery(DeadLetter("no")))
    publisher.counts["dead"] = 4
    results.forget_partitions()
    assert results.knows_partitions("metrics")
    results.publish(delivery(DeadLetter("no")))
    assert [record[1] for record in publisher.records] == [BY_KEY, 3]


def test_a_skipped_delivery_publishes_nothing(results, publisher):
    results.publish(delivery(Skipped("expired")))
    assert publisher.records == []


def test_a_forecast_that_is_too_large_is_published_only_as_a_dead_letter(results, publisher):
    too_large = delivery(Forecast([OutputEvent([], b"small"), OutputEvent([], b"x" * 200)]))
    results.publish(too_large)
    assert [record[0] for record in publisher.records] == ["dead"]
    assert "cannot be published" in dict(publisher.records[0][4])["fncast-reason"].decode()


def test_a_dead_letter_that_does_not_fit_stops_the_consumer(results, publisher):
    publisher.rejects.add("dead")
    with pytest.raises(ConsumerError, match=r"metrics/3, offset 7, is larger than 'dead' allows"):
        results.publish(delivery(DeadLetter("no")))


def test_a_dead_letter_that_is_rejected_stops_the_consumer_too(results, publisher):
    publisher.rejects.add("dead")
    publisher.rejection = RecordRejected
    with pytest.raises(ConsumerError, match=r"metrics/3, offset 7, is rejected: rejected"):
        results.publish(delivery(DeadLetter("no")))


@pytest.mark.guarantee("results wait while the broker does not report a topic's partitions")
@pytest.mark.parametrize("topic", ["metrics", "forecasts", "dead"])
def test_an_unknown_number_of_partitions_is_asked_for_again_and_logged_once(
    publisher, topic, caplog, monkeypatch
):
    """A guess would send the records to come by key, and out of order with those that went before."""
    monkeypatch.setattr("consumer.publishing.result_publisher.ASK_AGAIN_S", 0.0)
    publisher.counts["dead"] = 4
    count = publisher.counts.pop(topic)
    results = ResultPublisher(publisher, "forecasts", "dead")
    assert not results.knows_partitions("metrics")
    assert not results.knows_partitions("metrics")
    assert [record.getMessage() for record in caplog.records] == [
        f"the broker does not report the number of partitions of {topic}: results wait until it does"
    ]
    publisher.counts[topic] = count
    assert results.knows_partitions("metrics")
    results.publish(delivery(DeadLetter("no")))
    assert publisher.records[0][1] == 3


@pytest.mark.guarantee("the dead letter of a rejected forecast counts its calls")
def test_the_letter_of_a_forecast_that_is_rejected_says_how_often_its_function_was_called(results, publisher):
    publisher.rejects = {"forecasts"}
    built = delivery(Forecast([OutputEvent([], b"out")]))
    built.attempts = 2  # that failed, before the call that brought the forecast
    results.publish(built)
    ((_, _, _, _, headers),) = publisher.records
    assert dict(headers)["fncast-attempts"] == b"3"


def test_the_windows_of_a_record_are_published_in_order(results, publisher):
    record = delivery(None)
    record.windows = []
    for series, outcome in (
        ("a", Forecast([OutputEvent([], b"of a")])),
        ("b", DeadLetter("too few values")),
        ("c", Skipped("no event")),
        ("d", Forecast([OutputEvent([], b"of d")])),
    ):
        window = Window(series, 0, 60 * 10**9, Step.seconds(60), array("d", [1.0, 2.0]))
        child = Delivery(record.record, 0, record)
        child.event, child.outcome = window_event(window, "kafka:metrics"), outcome
        record.windows.append(child)
    mark_done([record])
    assert record.is_done
    results.publish(record)
    (first, dead, last) = publisher.records
    assert first == ("forecasts", 3, b"a", b"of a", [])
    assert last == ("forecasts", 3, b"d", b"of d", [])
    assert dead[:3] == ("dead", BY_KEY, b"b")
    letter = read_event(dead[4], dead[3])  # the window, not the record that completed it
    assert letter.attributes["subject"] == "b"
    assert letter.data.startswith(b'{"start":"1970-01-01T00:00:00Z"')
    assert dict(dead[4])["fncast-offset"] == b"7"
