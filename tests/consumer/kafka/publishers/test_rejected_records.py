"""Records that the broker rejects: found among their batch, and no others blamed."""

from __future__ import annotations

import random

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.errors import ConsumerError, NotPublished
from consumer.kafka.publishers.rejected_records import (
    LIMIT_S,
    RejectedRecords,
    batch_size_of,
    framed_size_of,
)
from interceptor.outcome import DeadLetter, Forecast
from tests.consumer.kafka.publishers.rejecting_client import PARTITION, Harness, Report, forecast


@pytest.fixture(params=["exactly-once", "at-least-once"])
def harness(request, monkeypatch):
    return Harness(request.param == "exactly-once", monkeypatch)


@pytest.mark.parametrize(
    "code", [KafkaError.INVALID_RECORD, KafkaError.POLICY_VIOLATION, KafkaError.MSG_SIZE_TOO_LARGE]
)
def test_only_the_rejected_record_of_a_batch_becomes_a_dead_letter(harness, code):
    harness.client.cause = lambda topic, key, value, headers: code if value == b"the bad one" else None
    sent = harness.settle([forecast(1, b"one"), forecast(2, b"the bad one"), forecast(3, b"three")])
    assert [type(delivery.outcome) for delivery in sent] == [Forecast, DeadLetter, Forecast]
    assert "cannot be published" in sent[1].outcome.reason
    assert harness.client.taken[-3:] == [("forecasts", b"one"), ("dead", b"input 2"), ("forecasts", b"three")]


def test_the_reason_to_publish_again_names_the_rejection(monkeypatch):
    harness = Harness(True, monkeypatch)
    harness.client.cause = lambda topic, key, value, _: (
        KafkaError.MSG_SIZE_TOO_LARGE if value == b"large" else None
    )
    reasons = []
    for _ in range(3):
        try:
            for delivery in [forecast(1, b"large"), forecast(2, b"two")]:
                harness.results.publish(delivery)
            harness.publisher.commit({PARTITION: 2}, "metadata")
        except NotPublished as error:
            reasons.append(str(error))
    assert set(reasons) == {"the record is too large: max.message.bytes allows less"}


def test_a_topic_that_may_not_be_written_to_is_named_and_ends_the_consumer(harness):
    harness.client.cause = lambda topic, *_: (
        KafkaError.TOPIC_AUTHORIZATION_FAILED if topic == "forecasts" else None
    )
    with pytest.raises(ConsumerError, match=r"does not let this login use the topic 'forecasts'"):
        harness.settle([forecast(1, b"one")])


def test_denied_access_names_the_topics_whose_records_were_dropped(monkeypatch):
    """The producer may not add topics to a transaction: the client drops their records."""
    harness = Harness(True, monkeypatch)
    cause = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "rejected", False, False, True)
    purged = KafkaError(KafkaError._PURGE_QUEUE)

    def reject(_):
        for topic in ("forecasts", "dead"):
            harness.client.on_delivery(purged, Report(topic, None, None))
        raise KafkaException(cause)

    harness.client.commit_transaction = reject
    with pytest.raises(ConsumerError, match=r"use the topic 'dead' or 'forecasts'"):
        harness.settle([forecast(1, b"one")])


def test_only_repeated_fencing_is_reported_as_another_consumer(monkeypatch):
    harness = Harness(True, monkeypatch)

    def begin_with(code: int) -> None:
        def fail() -> None:
            raise KafkaException(KafkaError(code))

        harness.client.begin_transaction = fail
        harness.publisher.publish("forecasts", -1, None, b"1", [])

    for code in [KafkaError._TIMED_OUT] * 10 + [KafkaError._FENCED] * 4:
        with pytest.raises(NotPublished):
            begin_with(code)
    with pytest.raises(ConsumerError, match="transactions of 'one' are fenced again and again"):
        begin_with(KafkaError._FENCED)


def test_after_a_commit_records_share_batches_again(harness):
    harness.client.cause = lambda topic, key, value, headers: (
        KafkaError.INVALID_RECORD if value == b"bad" else None
    )
    harness.settle([forecast(1, b"one"), forecast(2, b"bad")])
    harness.client.batches = 0
    harness.settle([forecast(1, b"one"), forecast(2, b"two")])
    assert harness.client.batches == 1


def test_a_record_that_was_accepted_alone_shares_batches_again(monkeypatch):
    harness = Harness(True, monkeypatch)
    harness.client.cause = lambda topic, key, value, headers: (
        KafkaError.INVALID_RECORD if value[:3] == b"bad" else None
    )
    good = [forecast(number, b"%d" % number) for number in range(50)]
    bad = [forecast(50 + number, b"bad %d" % number) for number in range(5)]
    sent = harness.settle([*good, *bad], most_rounds=7)
    assert [type(delivery.outcome) for delivery in sent] == [Forecast] * 50 + [DeadLetter] * 5
    assert harness.results.has_found_rejected()
    assert not harness.results.has_found_rejected()
    assert harness.client.batches <= 1 + 51 + 2 * 5 + 2, "each of the good alone once"


def test_if_the_broker_names_the_rejected_records_all_are_found_at_once(harness):
    """Each failure costs an idempotent producer half a second."""
    harness.client.names_records = True
    harness.client.cause = lambda topic, key, value, headers: (
        KafkaError.INVALID_RECORD if value[:3] == b"bad" else None
    )
    sent = harness.settle(
        [forecast(n, b"bad %d" % n if n % 2 else b"%d" % n) for n in range(100)], most_rounds=2
    )
    assert [type(delivery.outcome) for delivery in sent] == [Forecast, DeadLetter] * 50
    assert harness.client.batches == 2


@pytest.mark.guarantee("a dead letter that the broker rejects stops the consumer")
def test_a_dead_letter_that_is_rejected_stops_the_consumer(harness):
    harness.client.cause = lambda topic, *_: KafkaError.INVALID_RECORD if topic == "dead" else None
    letter = forecast(7)
    letter.outcome = DeadLetter("no")
    with pytest.raises(
        ConsumerError, match=r"dead letter of metrics/0, offset 7, is rejected: .* for 'dead'"
    ):
        harness.settle([letter])


def test_large_headers_count_and_no_ordinary_record_is_blamed(harness):
    harness.client.cause = lambda topic, key, value, headers: (
        KafkaError.MSG_SIZE_TOO_LARGE if sum(len(v) for _, v in headers) > 1_000_000 else None
    )
    large = [("ce_subject", b"s" * 1_000_001)]
    (first,) = harness.settle([forecast(1, b"short", headers=large)])
    assert type(first.outcome) is DeadLetter
    assert type(harness.settle([forecast(2, b"x" * 600)])[0].outcome) is Forecast
    batches = harness.client.batches
    harness.settle([forecast(3, b"short", headers=large)])
    assert harness.client.batches == batches + 1, "the limit is known: only the dead letter is sent"


def test_no_output_of_an_event_is_published_if_the_client_rejects_one_of_them(harness):
    (both,) = harness.settle([forecast(1, b"small", b"x" * 1_200_000)])
    assert type(both.outcome) is DeadLetter
    assert harness.client.taken == [("dead", b"input 1")]


def test_a_topic_with_a_small_limit_costs_few_aborted_transactions(monkeypatch):
    harness = Harness(True, monkeypatch)
    harness.client.cause = lambda topic, key, value, headers: (
        KafkaError.MSG_SIZE_TOO_LARGE if topic == "forecasts" and len(value) > 500 else None
    )
    sizes = random.Random(1).choices(range(501, 700), k=300)
    sent = harness.settle([forecast(n, b"x" * size) for n, size in enumerate([500, *sizes])], most_rounds=12)
    assert [type(delivery.outcome) for delivery in sent] == [Forecast] + [DeadLetter] * 300


def test_a_limit_is_forgotten_after_a_while():
    now_s = 0.0
    rejected = RejectedRecords(learns_limits=True, clock_s=lambda: now_s)
    error = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    rejected.rejection(error, "forecasts", 600)
    rejected.rejection(error, "forecasts", 700)
    now_s = LIMIT_S - 1
    assert [rejected.fits("forecasts", size) for size in (599, 600, 700)] == [True, False, False]
    assert rejected.fits("other", 700)
    now_s = LIMIT_S
    assert rejected.fits("forecasts", 700)


@pytest.mark.parametrize(
    ("key", "value", "headers", "size"),
    [
        (None, None, [], 61 + 1 + 6),
        (b"", b"", [], 61 + 1 + 6),
        (b"key", b"v" * 63, [("ce_id", b"1"), ("ä", None)], 61 + 2 + 3 + 4 + 64 + 1 + 8 + 4),
        (b"k" * 64, b"v" * 8191, [("h", b"x" * 64)] * 70, 61 + 3 + 3 + 66 + 8193 + 2 + 70 * 68),
        (b"k", b"v" * 8192, [], 61 + 3 + 3 + 2 + 8195 + 1),
    ],
)
def test_the_size_of_a_batch_is_that_of_kafkas_record_format(key, value, headers, size):
    """Frame, length, attributes and deltas, key, value, and headers."""
    assert batch_size_of(key, value, headers) == size


def test_the_size_that_the_client_calculates_counts_the_bytes_of_a_headers_name():
    name = "ä" * 1000
    assert framed_size_of(None, None, [(name, None)]) >= len(name.encode())


@pytest.mark.parametrize("exactly_once", [True, False])
def test_no_limit_is_learned_from_compressed_records(monkeypatch, exactly_once):
    harness = Harness(exactly_once, monkeypatch, **{"compression.type": "zstd"})
    harness.client.cause = lambda topic, key, value, headers: (
        KafkaError.MSG_SIZE_TOO_LARGE if value[:1] == b"r" else None
    )
    harness.settle([forecast(1, b"r" * 50_000)])
    assert type(harness.settle([forecast(2, b"0" * 60_000)])[0].outcome) is Forecast
