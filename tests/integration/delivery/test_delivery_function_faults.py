"""The delivery contract while a function fails: the same tests for each broker and guarantee."""

from __future__ import annotations

import asyncio
import signal

import pytest
from aiohttp import web
from fake_function import batch, forecast, hangs, status, works
from forecast_checks import attribute, check_delivery

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


async def is_unavailable(events):
    reason = {"type": "io.fncast.unavailable.v1", "data": {"reason": "no model", "retry_after_s": 1}}
    return batch([forecast(event) | reason for event in events])


async def answers_another_event(events):
    return batch([forecast(event) | {"causationid": "another"} for event in events])


async def answers_half(events):
    return batch([forecast(event) for event in events[: len(events) // 2]])


TROUBLES = {
    "down": None,  # nothing listens at its address
    "garbage": status(200, "<html>"),
    "500": status(500, "no"),
    "hangs": hangs,
    "unavailable": is_unavailable,
    "401": status(401, "no"),
    "wrong event": answers_another_event,
    "half an answer": answers_half,
}


@pytest.mark.guarantee("an outage makes no dead letters, and work resumes within 5 s")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_outage_of_the_function_creates_no_dead_letter_and_ends_within_5_s(testbed, trouble):
    if trouble not in ("down", "garbage", "hangs") and not testbed.is_exactly_once:
        pytest.skip("the function's kind of trouble has nothing to do with the broker: each is tried on one")
    first = testbed.produce_many(100)
    # A hanging function is noticed with the default timeout of 30 s, also if all calls in flight hang.
    limits = {"FN__BATCH_EVENTS": "10"} if trouble == "hangs" else {"FN__TIMEOUT_S": "0.5"}
    consumer = testbed.consume(ADMIN__PORT="0", **limits)
    testbed.wait_for(testbed.forecasts, 100)
    if (behaviour := TROUBLES[trouble]) is None:
        testbed.function.stop()
    else:
        testbed.function.behaviour = behaviour
    during = testbed.produce_many(100, first=100)
    consumer.wait_for("is out")
    assert testbed.read_all(testbed.dead) == []
    testbed.function.behaviour = works
    if behaviour is None:
        testbed.function.start()
    testbed.wait_for(testbed.forecasts, 101, within_s=5 + 1)  # plus a second for the start of the reader
    testbed.wait_for(testbed.forecasts, 200)
    consumer.wait_for("is back")
    assert consumer.terminate() == 0
    assert testbed.read_all(testbed.dead) == []
    check_delivery(testbed, first + during, repeats=False)


@pytest.mark.guarantee("a bad event among good ones is the only dead letter")
@pytest.mark.parametrize("poison", ["crash", "hang", "rejection"])
def test_poison_among_good_events_is_the_only_dead_letter(testbed, poison):
    def is_bad(event) -> bool:
        return int(event["id"].split(":")[1]) in (77, 180)

    async def behaviour(events):
        bad = any(is_bad(event) for event in events)
        if bad and poison == "hang":
            await asyncio.sleep(30)
        if bad and poison == "crash":
            return web.json_response({"message": "function failed"}, status=502)
        return batch(
            [
                forecast(e)
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
    check_delivery(testbed, [id_ for id_ in ids if id_ not in bad], repeats=False)


@pytest.mark.guarantee("one bad event is distinguished from an outage")
def test_a_lone_poison_event_after_good_ones_is_not_taken_for_an_outage(testbed):
    async def behaviour(events):
        if any(event["id"] == "poison" for event in events):
            return web.json_response({"message": "function failed"}, status=502)
        return await works(events)

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


@pytest.mark.guarantee("a hanging function does not delay a stop")
def test_two_signals_and_a_hanging_function_do_not_delay_the_stop(testbed, until):
    testbed.function.behaviour = hangs
    ids = testbed.produce_many(50)
    consumer = testbed.consume()
    until(lambda: testbed.function.calls, 30, "a call")
    consumer.process.send_signal(signal.SIGINT)
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log()
    testbed.function.behaviour = works
    again = testbed.consume()
    testbed.wait_for(testbed.forecasts, len(ids))
    assert again.terminate() == 0
    check_delivery(testbed, ids, repeats=False)
