"""Foreign records on a real broker: each gets the one right outcome from consumer and forecast function."""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

sys.path.append(str(Path(__file__).parents[2] / "fuzz"))

import fuzz_record
from foreign_records import WINDOW, foreign_record

from handler import Forecaster
from interceptor.delivery import Record
from model import ForecastModel
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.docker]

BATCH_TYPE = "application/cloudevents-batch+json"
STRUCTURED = [("content-type", b"application/cloudevents+json")]
FORECAST = "forecast"
W = json.dumps(WINDOW).encode()
GOOD = 100
MAX_BYTES = 900_000  # the largest record that the producer accepts


@pytest.fixture
def testbed(exactly_once_testbed: Any) -> Any:
    """A testbed with the real forecast function behind the fake Fn server."""
    function = Forecaster(ForecastModel(fuzz_record.Scorer()))

    async def forecast(events: list[dict[str, Any]]) -> web.Response:
        answer = function.answer({"content-type": BATCH_TYPE}, json.dumps(events).encode())
        return web.Response(body=answer.body, content_type=answer.content_type)

    exactly_once_testbed.function.behaviour = forecast
    return exactly_once_testbed


def cases_of(testbed: Any) -> dict[bytes, tuple[Any, bytes | None, str]]:
    """By key: headers, value and outcome of a record. The outcome is a part of the reason, or FORECAST."""
    whole = testbed.event("t1", subject="pump")
    bare = whole[:-1]
    plain = {"specversion": "1.0", "id": "t1", "source": "/t", "type": "io.fncast.window.v1"}
    attributes = plain | {"subject": "pump", "destination": "forecast"}

    def structured(**members: Any) -> bytes:
        return json.dumps(attributes | members).encode()

    event = structured(data=WINDOW)
    return {
        b"good": (whole, W, FORECAST),
        b"no data": (bare, None, "the event has no data"),
        b"no data, typed": (whole, None, "the event has no data"),
        b"no headers": ([], None, "tombstone"),
        b"equal types": ([*whole, ("ce_datacontenttype", b"application/json")], W, FORECAST),
        b"two types": (
            [*whole, ("ce_datacontenttype", b"text/plain")],
            W,
            "'content-type' is 'application/json', the header 'ce_datacontenttype' is 'text/plain'",
        ),
        b"lower case": ([*whole, ("ce_expirytime", b"2099-01-01t00:00:00z")], W, FORECAST),
        b"basic": ([*whole, ("ce_expirytime", b"20990101T000000Z")], W, "is not an RFC 3339 time"),
        b"contentType": ([("contentType", STRUCTURED[0][1])], event, "did you mean 'content-type'?"),
        b"Content-Type": ([("Content-Type", STRUCTURED[0][1])], event, "did you mean 'content-type'?"),
        b"empty object": (STRUCTURED, b"{}", "'id', 'source', 'specversion', 'type' are missing"),
        b"not JSON": (bare, b"not json", "the event's data is not JSON"),
        b"null base64": (STRUCTURED, structured(data=WINDOW, data_base64=None), FORECAST),
        b"null data": (STRUCTURED, structured(data=None, data_base64="W10="), "too few values"),
        b"string": (STRUCTURED, structured(data=W.decode()), "data is a string that holds JSON"),
        b"no subject": ([*bare[:-1], ("ce_subject", b"")], W, FORECAST),
    }


def test_each_record_is_forecast_or_rejected_with_the_right_reason(testbed: Any) -> None:
    cases = cases_of(testbed)
    for key, (headers, value, _) in cases.items():
        testbed.produce("", key, value, headers)
    expired = [*testbed.event("t1", subject="pump"), ("ce_expirytime", b"2016-12-31T23:59:60Z")]
    testbed.produce("", b"leap second", W, expired)
    testbed.flush()
    consumer = testbed.consume()
    wanted = {key for key, (_, _, outcome) in cases.items() if outcome == FORECAST}
    testbed.wait_for(testbed.forecasts, len(wanted))
    testbed.wait_for(testbed.dead, len(cases) - len(wanted))
    assert consumer.terminate() == 0
    forecasts = {message.key(): message for message in testbed.read_all(testbed.forecasts)}
    letters = {message.key(): dict(message.headers()) for message in testbed.read_all(testbed.dead)}
    reasons = {key: letter["fncast-reason"].decode() for key, letter in letters.items()}
    assert forecasts.keys() == wanted, reasons
    for key, (_, _, outcome) in cases.items():
        assert key in wanted or outcome in reasons[key], (key, reasons.get(key))
    assert b"leap second" not in reasons
    assert "data_base64" not in reasons[b"not JSON"]
    assert "ce_subject" not in dict(forecasts[b"no subject"].headers())


def test_an_output_without_data_is_published_as_null(testbed: Any) -> None:
    async def no_data(events: list[dict[str, Any]]) -> web.Response:
        outputs = [
            {"specversion": "1.0", "id": "o", "source": "/f", "type": "t", "causationid": e["id"],
             "causationsource": e["source"]}
            for e in events
        ]  # fmt: skip
        return web.Response(body=json.dumps(outputs).encode(), content_type=BATCH_TYPE)

    testbed.function.behaviour = no_data
    testbed.produce("1", b"k")
    testbed.flush()
    consumer = testbed.consume()
    (published,) = testbed.wait_for(testbed.forecasts, 1)
    assert consumer.terminate() == 0
    assert published.value() is None


def test_thousands_of_foreign_records_have_one_outcome_each(testbed: Any) -> None:
    randomly = random.Random(16)
    records = [foreign_record(randomly, offset) for offset in range(3000)]
    records = [record for record in records if _size(record) < MAX_BYTES]
    for record in records:
        headers = [
            ("ce_destination", b"forecast") if pair == ("ce_destination", b"single") else pair
            for pair in record.headers
        ]
        testbed.producer.produce(testbed.metrics, record.value, record.key, headers=headers)
        testbed.producer.poll(0)
    for number in range(GOOD):
        testbed.produce(f"good:{number}", b"good")
    testbed.flush()
    consumer = testbed.consume()

    def outcomes() -> Counter[str]:
        text = consumer.admin("/metrics")[1]
        counts: Counter[str] = Counter()
        for outcome, count in re.findall(r'^fncast_events_total\{.*outcome="(\w+)".*\} (\S+)$', text, re.M):
            counts[outcome] += int(float(count))
        return counts

    count = len(records) + GOOD
    testbed.wait_for(testbed.forecasts, GOOD, within_s=60)
    eventually(lambda: outcomes().total() >= count, 60, lambda: f"{count} outcomes: {outcomes()}")
    counted = outcomes()
    assert consumer.terminate() == 0
    forecasts = testbed.read_all(testbed.forecasts)
    letters = [dict(letter.headers()) for letter in testbed.read_all(testbed.dead)]
    places = {(letter["fncast-partition"], letter["fncast-offset"]) for letter in letters}
    assert len(places) == len(letters)
    good = [dict(one.headers())["ce_causationid"] for one in forecasts if one.key() == b"good"]
    assert good == [f"good:{number}".encode() for number in range(GOOD)]
    assert len(forecasts) + len(letters) + counted["skipped"] == count, counted


def _size(record: Record) -> int:
    return len(record.value or b"") + sum(len(value or b"") for _, value in record.headers)
