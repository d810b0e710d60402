"""The delivery contract (docs/delivery.md): the same tests for each broker and guarantee."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest
from aiohttp import web
from forecast_checks import attribute, check_forecasts, inputs_of, out_of_order

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def check(testbed, ids, *, repeats: bool) -> None:
    """Check that the inputs are in order for each key, and that every input has its forecast, in the same order."""
    assert out_of_order([attribute(message, "ce_id") for message in testbed.read_all(testbed.metrics)]) == []
    check_forecasts(testbed, ids, repeats=repeats)


@pytest.mark.guarantee("each input has its outcome exactly once, in order, though calls overlap")
def test_every_input_gets_its_forecast_in_order_though_calls_overlap(testbed, answers):
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(2000)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    testbed.wait_for(testbed.forecasts, len(ids))
    assert consumer.terminate() == 0
    check(testbed, ids, repeats=False)
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
    check(testbed, first + second, repeats=False)


@pytest.mark.guarantee("a dead letter is the record byte for byte, with the reason")
def test_dead_letters_are_the_record_byte_for_byte_and_say_why(testbed):
    odd = [
        ("ce_specversion", b"1.0"),
        ("twice", b"1"),
        ("twice", b"2"),
        ("null", None),
        ("bytes", b"\xff\xfe"),
    ]
    refused = {
        b"no event": ([("x", b"y")], b"text", "not a CloudEvent"),
        b"tombstone": ([("x", b"y")], None, "tombstone"),
        b"nowhere": (testbed.event("n", destination="nowhere"), b"{}", "unknown destination 'nowhere'"),
        b"no route": (testbed.event("d", destination=""), b"{}", "no extension `destination`"),
        b"odd": (odd, b"\x00\xff", "missing"),
        b"late": (testbed.event("e", expirytime="tomorrow"), b"{}", "expirytime"),
    }
    for key, (headers, value, _) in refused.items():
        testbed.produce("", key, value, headers)
    testbed.produce("good", b"good")
    testbed.flush()
    consumer = testbed.consume()
    letters = {m.key(): m for m in testbed.wait_for(testbed.dead, len(refused))}
    testbed.wait_for(testbed.forecasts, 1)
    assert consumer.terminate() == 0
    assert letters.keys() == refused.keys()
    inputs = {m.key(): m for m in testbed.read_all(testbed.metrics)}
    for key, (headers, value, reason) in refused.items():
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
    check(testbed, ids, repeats=not testbed.is_exactly_once)


@pytest.mark.guarantee("an outage makes no dead letters, and work resumes within 5 s")
@pytest.mark.parametrize(
    "trouble", ["down", "garbage", "500", "hangs", "unavailable", "401", "wrong event", "half an answer"]
)
def test_an_outage_of_the_function_creates_no_dead_letter_and_ends_within_5_s(
    testbed, answers, until, trouble
):
    if trouble not in ("down", "garbage", "hangs") and not testbed.is_exactly_once:
        pytest.skip("the function's kind of trouble has nothing to do with the broker: each is tried on one")

    async def hangs(_):
        await asyncio.sleep(300)  # calls that hung are not answered when the function is back

    async def unavailable(events):
        return answers.batch(
            [
                answers.forecast(e)
                | {"type": "io.fncast.unavailable.v1", "data": {"reason": "no model", "retry_after_s": 1}}
                for e in events
            ]
        )

    async def wrong(events):
        return answers.batch([answers.forecast(e) | {"causationid": "another"} for e in events])

    async def half(events):
        return answers.batch([answers.forecast(e) for e in events[: len(events) // 2]])

    first = testbed.produce_many(100)
    # A hanging function is noticed with the default timeout of 30 s, also if all calls in flight hang.
    limits = {"FN__BATCH_EVENTS": "10"} if trouble == "hangs" else {"FN__TIMEOUT_S": "0.5"}
    consumer = testbed.consume(ADMIN__PORT="0", **limits)
    testbed.wait_for(testbed.forecasts, 100)
    if trouble == "down":
        testbed.function.stop()
    else:
        testbed.function.behaviour = {
            "garbage": answers.status(200, "<html>"),
            "500": answers.status(500, "no"),
            "401": answers.status(401, "no"),
            "hangs": hangs,
            "unavailable": unavailable,
            "wrong event": wrong,
            "half an answer": half,
        }[trouble]
    during = testbed.produce_many(100, first=100)
    consumer.wait_for("is out")
    assert testbed.read_all(testbed.dead) == []
    if trouble == "down":
        testbed.function.start()
    else:
        testbed.function.behaviour = answers.works
    testbed.wait_for(testbed.forecasts, 101, within_s=5 + 1)  # plus a second for the start of the reader
    testbed.wait_for(testbed.forecasts, 200)
    consumer.wait_for("is back")
    assert consumer.terminate() == 0
    assert testbed.read_all(testbed.dead) == []
    check(testbed, first + during, repeats=False)


@pytest.mark.guarantee("a bad event among good ones is the only dead letter")
@pytest.mark.parametrize("poison", ["crash", "hang", "rejection"])
def test_poison_among_good_events_is_the_only_dead_letter(testbed, answers, poison):
    def is_bad(event) -> bool:
        return int(event["id"].split(":")[1]) in (77, 180)

    async def behaviour(events):
        bad = any(is_bad(event) for event in events)
        if bad and poison == "hang":
            await asyncio.sleep(30)
        if bad and poison == "crash":
            return web.json_response({"message": "function failed"}, status=502)
        return answers.batch(
            [
                answers.forecast(e)
                | ({"type": "io.fncast.rejected.v1", "data": {"reason": "too odd"}} if is_bad(e) else {})
                for e in events
            ]
        )

    testbed.function.behaviour = behaviour
    ids = testbed.produce_many(300)
    consumer = testbed.consume(FN__TIMEOUT_S="0.3", FN__MAX_ATTEMPTS="3")
    letters = testbed.wait_for(testbed.dead, 2)
    testbed.wait_for(testbed.forecasts, 298)
    assert consumer.terminate() == 0
    bad = {id_ for id_ in ids if is_bad({"id": id_})}
    assert {attribute(letter, "ce_id") for letter in letters} == bad
    reason = "too odd" if poison == "rejection" else "attempts exhausted"
    assert all(reason in attribute(letter, "fncast-reason") for letter in letters)
    assert all(int(attribute(letter, "fncast-attempts")) >= 1 for letter in letters)
    check(testbed, [id_ for id_ in ids if id_ not in bad], repeats=False)


@pytest.mark.guarantee("one bad event is distinguished from an outage")
def test_a_lone_poison_event_after_good_ones_is_not_taken_for_an_outage(testbed, answers):
    async def behaviour(events):
        if any(event["id"] == "poison" for event in events):
            return web.json_response({"message": "function failed"}, status=502)
        return await answers.works(events)

    testbed.function.behaviour = behaviour
    consumer = testbed.consume(FN__MAX_ATTEMPTS="3")
    testbed.produce("good:1", b"k")
    testbed.flush()
    testbed.wait_for(testbed.forecasts, 1)
    testbed.produce("poison", b"k")  # alone, so that only the probe succeeds
    testbed.flush()
    letters = testbed.wait_for(testbed.dead, 1)
    assert attribute(letters[0], "ce_id") == "poison"
    assert consumer.terminate() == 0


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


@pytest.mark.guarantee("a hanging function does not delay a stop")
def test_two_signals_and_a_hanging_function_do_not_delay_the_stop(testbed, until):
    async def hangs(_):
        await asyncio.sleep(30)

    testbed.function.behaviour = hangs
    ids = testbed.produce_many(50)
    consumer = testbed.consume()
    until(lambda: testbed.function.calls, 30, "a call")
    consumer.process.send_signal(signal.SIGINT)
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log()

    async def works(events):
        return web.Response(
            body=json.dumps(
                [
                    {
                        "specversion": "1.0",
                        "id": "f",
                        "source": "f",
                        "type": "t",
                        "causationid": e["id"],
                        "causationsource": e["source"],
                    }
                    for e in events
                ]
            ).encode(),
            content_type="application/cloudevents-batch+json",
        )

    testbed.function.behaviour = works
    again = testbed.consume()
    testbed.wait_for(testbed.forecasts, len(ids))
    assert again.terminate() == 0
    check(testbed, ids, repeats=False)
