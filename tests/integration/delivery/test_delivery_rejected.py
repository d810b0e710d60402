"""Delivery of records that the broker rejects, or that are nearly too large for it."""

from __future__ import annotations

import asyncio
import threading

import psutil
import pytest
from confluent_kafka.admin import NewTopic
from forecast_checks import all_have_forecasts, attribute, check_forecasts, inputs_of
from kafka_container import PARTITIONS

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(150)]


@pytest.mark.guarantee("a record that the broker rejects is a dead letter; nothing is scored twice")
def test_a_record_that_the_broker_rejects_is_a_dead_letter_and_no_event_is_scored_twice(
    kafka_testbed, answers, until
):
    """The transaction is aborted, and its results are published again from memory."""
    testbed = kafka_testbed

    async def behaviour(events):
        return answers.batch(
            [answers.forecast(e) | ({"data": "x" * 1_070_000} if e["id"] == "k3:43" else {}) for e in events]
        )

    testbed.function.behaviour = behaviour
    ids = testbed.produce_many(100)
    consumer = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    until(all_have_forecasts(testbed, [id_ for id_ in ids if id_ != "k3:43"]), 20, "the others")
    assert consumer.terminate() == 0
    assert attribute(letter, "ce_id") == "k3:43"
    assert "cannot be published" in attribute(letter, "fncast-reason")
    assert sorted(testbed.function.called_ids) == sorted(ids)
    check_forecasts(testbed, [id_ for id_ in ids if id_ != "k3:43"], repeats=not testbed.is_exactly_once)


@pytest.mark.guarantee("a record without a key for a compacted topic is a dead letter")
def test_a_record_without_key_for_a_compacted_topic_is_a_dead_letter(kafka_testbed, until):
    """The broker rejects the record, and names it among the records of a batch."""
    testbed = kafka_testbed
    testbed.forecasts = f"compacted-{testbed.tag}"
    testbed.create_topics(NewTopic(testbed.forecasts, PARTITIONS, config={"cleanup.policy": "compact"}))
    ids = testbed.produce_many(50)
    bare = [f"bare:{number}" for number in range(100)]
    for number, id_ in enumerate(bare):
        testbed.produce(id_, partition=number % PARTITIONS)
    ids += testbed.produce_many(50, first=50)
    consumer = testbed.consume()
    letters = testbed.wait_for(testbed.dead, len(bare))
    until(all_have_forecasts(testbed, ids), 20, "the others")
    assert consumer.terminate() == 0
    assert {attribute(letter, "ce_id") for letter in letters} == set(bare)
    assert "the broker rejects the record" in attribute(letters[0], "fncast-reason")
    assert sorted(testbed.function.called_ids) == sorted(ids + bare)
    check_forecasts(testbed, ids, repeats=not testbed.is_exactly_once)


@pytest.mark.guarantee("the largest input fits into a dead letter where fncast creates the topic")
def test_the_largest_input_fits_into_a_dead_letter(exactly_once_testbed):
    testbed = exactly_once_testbed
    testbed.produce("", b"k", b"x" * 990_000, [("why", b"no event")])
    testbed.flush()
    consumer = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    assert len(letter.value()) == 990_000
    assert consumer.terminate() == 0


@pytest.mark.guarantee("a dead letter that cannot be written stops the consumer with nothing committed")
def test_a_dead_letter_that_cannot_be_written_stops_the_consumer_with_nothing_committed(exactly_once_testbed):
    testbed = exactly_once_testbed
    testbed.dead = f"narrow-{testbed.tag}"
    testbed.create_topics(NewTopic(testbed.dead, 4, config={"max.message.bytes": "2000"}))
    testbed.produce("good:1", b"k", partition=0)
    testbed.produce("", b"k", b"x" * 10_000, [("why", b"no event")], partition=0)
    testbed.flush()
    consumer = testbed.consume()
    assert consumer.wait(60) == 1
    assert testbed.dead in consumer.log()
    assert "Traceback" not in consumer.log()
    testbed.dead = f"wide-{testbed.tag}"  # uncommitted records are read again, and no other
    again = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    assert len(letter.value()) == 10_000
    assert again.terminate() == 0
    assert inputs_of(testbed.read_all(testbed.forecasts)) == ["good:1"]


@pytest.mark.guarantee("memory stays bounded behind a function that hangs")
def test_memory_stays_bounded_behind_a_function_that_hangs(exactly_once_testbed, until):
    testbed = exactly_once_testbed

    async def hangs(_):
        await asyncio.sleep(60)

    testbed.function.behaviour = hangs
    for number in range(2_400):  # 240 MB wait. Without a bound, all of it would be read within 2 s
        testbed.produce(f"k:{number}", b"%d" % number, b'"' + b"x" * 100_000 + b'"')
    testbed.flush()
    consumer = testbed.consume()
    until(lambda: testbed.function.calls, 20, "a call")
    process = psutil.Process(consumer.pid)
    grown = [process.memory_info().rss]
    threading.Event().wait(2)  # growth shows only after some time
    grown.append(process.memory_info().rss)
    assert max(grown) < 120e6, grown
    assert consumer.terminate() == 0
