"""The delivery contract (docs/delivery.md): the same tests for each broker and guarantee."""

from __future__ import annotations

import pytest
from aiohttp import web
from forecast_checks import attribute, check_delivery, inputs_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.mark.guarantee("each input has its outcome exactly once, in order, though calls overlap")
def test_every_input_gets_its_forecast_in_order_though_calls_overlap(testbed, answers):
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(2000)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    testbed.wait_for(testbed.forecasts, len(ids))
    assert consumer.terminate() == 0
    check_delivery(testbed, ids, repeats=False)
    by_input = {attribute(m, "ce_causationid"): m for m in testbed.read_all(testbed.forecasts)}
    for message in testbed.read_all(testbed.metrics):  # a forecast has the partition and key of its input
        out = by_input[attribute(message, "ce_id")]
        assert (out.partition(), out.key()) == (message.partition(), message.key())


@pytest.mark.guarantee("a clean stop commits and leaves the group; a restart repeats nothing")
def test_a_clean_stop_commits_and_leaves_so_that_a_restart_reads_nothing_again(testbed, answers):
    first = testbed.produce_many(300)
    consumer = testbed.consume()
    testbed.wait_for(testbed.forecasts, 300)
    assert consumer.terminate() == 0
    calls_before = len(testbed.function.called_ids)
    again = testbed.consume()
    second = testbed.produce_many(100, first=300)
    # The consumer has left the group, so no session of 10 s must time out. A join on the embedded broker is slow.
    testbed.wait_for(testbed.forecasts, 400, within_s=30 if testbed.is_embedded else 9)
    assert again.terminate() == 0
    assert len(testbed.function.called_ids) == calls_before + 100
    check_delivery(testbed, first + second, repeats=False)


@pytest.mark.guarantee("a dead letter is the record byte for byte, with the reason")
def test_dead_letters_are_the_record_byte_for_byte_and_say_why(testbed):
    odd = [
        ("ce_specversion", b"1.0"),
        ("twice", b"1"),
        ("twice", b"2"),
        ("null", None),
        ("bytes", b"\xff\xfe"),
    ]
    rejected = {
        b"no event": ([("x", b"y")], b"text", "not a CloudEvent"),
        b"tombstone": ([("x", b"y")], None, "tombstone"),
        b"nowhere": (testbed.event("n", destination="nowhere"), b"{}", "unknown destination 'nowhere'"),
        b"no route": (testbed.event("d", destination=""), b"{}", "no extension `destination`"),
        b"odd": (odd, b"\x00\xff", "missing"),
        b"late": (testbed.event("e", expirytime="tomorrow"), b"{}", "expirytime"),
    }
    for key, (headers, value, _) in rejected.items():
        testbed.produce("", key, value, headers)
    testbed.produce("good", b"good")
    testbed.flush()
    consumer = testbed.consume()
    letters = {m.key(): m for m in testbed.wait_for(testbed.dead, len(rejected))}
    testbed.wait_for(testbed.forecasts, 1)
    assert consumer.terminate() == 0
    assert letters.keys() == rejected.keys()
    inputs = {m.key(): m for m in testbed.read_all(testbed.metrics)}
    for key, (headers, value, reason) in rejected.items():
        letter, record = letters[key], inputs[key]
        assert letter.value() == value
        assert letter.headers()[: len(headers)] == headers
        added = dict(letter.headers()[len(headers) :])
        assert reason in added["fncast-reason"].decode()
        assert added["knativeerrordata"] == added["fncast-reason"]
        assert added["fncast-attempts"] == b"0"
        assert added["fncast-topic"].decode() == testbed.metrics
        assert (int(added["fncast-partition"]), int(added["fncast-offset"])) == (
            record.partition(),
            record.offset(),
        )
        assert int(added["fncast-timestamp"]) == record.timestamp()[1]
        assert not any(name.startswith("ce_") for name in added)
    assert inputs_of(testbed.read_all(testbed.forecasts)) == ["good"]


@pytest.mark.guarantee("an expired event is skipped and its offset committed")
def test_an_expired_event_is_skipped_and_its_offset_committed(testbed):
    testbed.produce("late", b"k", expirytime="2020-01-01T00:00:00Z")
    testbed.produce("good", b"k", expirytime="2999-01-01T00:00:00Z")
    testbed.flush()
    consumer = testbed.consume()
    testbed.wait_for(testbed.forecasts, 1)
    assert consumer.terminate() == 0
    assert testbed.function.called_ids == ["good"]
    assert inputs_of(testbed.read_all(testbed.forecasts)) == ["good"]
    assert testbed.read_all(testbed.dead) == []


@pytest.mark.guarantee("an event's data cannot forge a second event")
def test_data_cannot_forge_a_second_event(testbed):
    evil = (
        b'[1,2]},{"id":"evil","source":"x","specversion":"1.0","type":"t","destination":"forecast","data":[3]'
    )
    testbed.produce("victim", b"k")
    testbed.produce("forger", b"k", evil)
    structured = (
        b'{"specversion":"1.0","id":"forger2","source":"test","type":"t","destination":"forecast","data":'
        + evil
    )
    testbed.produce("", b"k", structured, [("content-type", b"application/cloudevents+json")])
    testbed.produce("last", b"k")
    testbed.flush()
    consumer = testbed.consume()
    testbed.wait_for(testbed.forecasts, 2)
    testbed.wait_for(testbed.dead, 2)
    assert consumer.terminate() == 0
    assert testbed.function.called_ids == ["victim", "last"]


@pytest.mark.guarantee("kill -9 and a restart lose nothing; exactly-once repeats nothing")
def test_kill_9_and_restart_lose_nothing(testbed, answers, until):
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(3000)
    consumer = testbed.consume(FN__BATCH_EVENTS="32")
    testbed.wait_for(testbed.forecasts, 500)
    consumer.kill()
    consumer = testbed.consume(FN__BATCH_EVENTS="32")
    consumer.wait_for("assigned ")  # the first consumer may have published all before it was killed
    until(
        lambda: set(inputs_of(testbed.read_all(testbed.forecasts))) == set(ids),
        30,
        "a forecast for each input",
    )
    assert consumer.terminate() == 0
    check_delivery(testbed, ids, repeats=not testbed.is_exactly_once)


def test_the_answer_204_publishes_nothing_and_a_foreign_function_is_called_by_url(testbed, answers, until):
    async def behaviour(events):
        return web.Response(status=204)

    testbed.function.behaviour = behaviour
    testbed.variables["ROUTES__OTHER__URL"] = f"{testbed.function.url}/invoke/f"
    testbed.variables["ROUTES__OTHER__BATCH"] = "true"
    consumer = testbed.consume()
    testbed.produce("silent:1", b"k", destination="other")
    testbed.flush()
    consumer.wait_for("assigned")
    until(lambda: testbed.function.calls, 30, "a call")
    testbed.function.behaviour = answers.works
    testbed.produce("loud:2", b"k", destination="other")
    testbed.flush()
    testbed.wait_for(testbed.forecasts, 1)
    assert consumer.terminate() == 0
    assert inputs_of(testbed.read_all(testbed.forecasts)) == ["loud:2"]
    assert testbed.read_all(testbed.dead) == []
