"""A function without Fn: any HTTP service that accepts a CloudEvent, in each of its forms."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    FORECASTS_TYPE,
    ForecastRows,
    decode_windows,
    encode_forecasts,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

BATCH, EVENT = "application/cloudevents-batch+json", "application/cloudevents+json"


def route(testbed, **options: str) -> None:
    testbed.variables["ROUTES__OTHER__URL"] = f"{testbed.function.url}/foreign"
    for name, value in options.items():
        testbed.variables[f"ROUTES__OTHER__{name.upper()}"] = value


def answer(id_: str) -> dict[str, object]:
    """Return an output that does not name its input, so that it is matched by position."""
    return {"specversion": "1.0", "id": f"own-{id_}", "source": "/other", "type": "other", "data": [id_]}


def outputs(testbed, ids: list[str]) -> dict[str, object]:
    """Wait for the forecasts of these inputs. Returns the data by the id of the input."""
    for id_ in ids:
        testbed.produce(id_, b"k", destination="other")
    testbed.flush()
    consumer = testbed.consume()
    found = {}
    for message in testbed.wait_for(testbed.forecasts, len(ids)):
        headers = dict(message.headers())
        found[headers["ce_causationid"].decode()] = json.loads(message.value())
        assert headers["ce_originid"].decode().startswith("own-")
    assert consumer.terminate() == 0
    assert testbed.read_all(testbed.dead) == []
    return found


@pytest.mark.guarantee("an HTTP service may answer one binary event")
def test_it_answers_one_binary_event(embedded_testbed):
    testbed = embedded_testbed
    route(testbed, mode="binary")
    seen = []

    async def foreign(request, body):
        seen.append((request.headers["ce-id"], request.headers["ce-destination"], json.loads(body)["step_s"]))
        headers = {"ce-specversion": "1.0", "ce-id": "own-1", "ce-source": "/other", "ce-type": "other"}
        return web.Response(body=b'["binary"]', content_type="application/json", headers=headers)

    testbed.function.foreign = foreign
    assert outputs(testbed, ["a:1"]) == {"a:1": ["binary"]}
    assert seen == [("a:1", "other", 300)]


@pytest.mark.guarantee("an HTTP service may answer one structured event")
def test_it_answers_one_structured_event(embedded_testbed):
    testbed = embedded_testbed
    route(testbed, mode="structured")

    async def foreign(request, body):
        assert request.content_type == EVENT
        event = json.loads(body)
        return web.Response(body=json.dumps(answer(event["id"])).encode(), content_type=EVENT)

    testbed.function.foreign = foreign
    assert outputs(testbed, ["a:1", "a:2"]) == {"a:1": ["a:1"], "a:2": ["a:2"]}


@pytest.mark.guarantee("an HTTP service may answer a batch by position")
def test_its_answers_to_a_batch_are_matched_by_position(embedded_testbed):
    testbed = embedded_testbed
    route(testbed, batch="true")

    async def foreign(request, body):
        assert request.content_type == BATCH
        outputs = [answer(event["id"]) for event in json.loads(body)]
        return web.Response(body=json.dumps(outputs).encode(), content_type=BATCH)

    testbed.function.foreign = foreign
    ids = [f"a:{number}" for number in range(20)]
    assert outputs(testbed, ids) == {id_: [id_] for id_ in ids}


@pytest.mark.guarantee("an HTTP service may take and give one tensor for many windows")
def test_it_answers_many_windows_with_one_tensor(embedded_testbed):
    testbed = embedded_testbed
    route(testbed, encoding="graphpipe")
    calls = []

    async def foreign(request, body):
        windows = decode_windows(body).values
        calls.append(len(windows))
        reasons = ["" if last > 0 else "not above 0" for last in windows[:, -1]]
        headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/other"}
        headers |= {"ce-type": FORECASTS_TYPE, "ce-quantiles": "0.5"}
        rows = ForecastRows(windows[:, -1:, None], reasons)
        return web.Response(body=encode_forecasts(rows), content_type=CONTENT_TYPE, headers=headers)

    testbed.function.foreign = foreign
    for number in range(20):
        data = {"start": "2024-01-01T00:00:00Z", "step_s": 300, "values": [1, number - 1 or None]}
        testbed.produce(f"a:{number}", b"k", json.dumps(data).encode(), destination="other")
    testbed.produce("a:none", b"k", b'{"values": "none"}', destination="other")
    testbed.flush()
    consumer = testbed.consume()
    published = {}
    for message in testbed.wait_for(testbed.forecasts, 18):
        published[dict(message.headers())["ce_causationid"].decode()] = json.loads(message.value())
    assert consumer.terminate() == 0
    letters = [
        dict(message.headers())["fncast-reason"].decode() for message in testbed.read_all(testbed.dead)
    ]
    assert published["a:7"] == {
        "start": "2024-01-01T00:10:00Z",
        "step_s": 300,
        "values": [6.0],
        "quantiles": {"0.5": [6.0]},
        "filled": 0,
        "history": 2,
    }
    assert sorted(letters) == ["not above 0", "not above 0", "values is not an array of numbers"]
    assert sum(calls) == 20


@pytest.mark.guarantee("an HTTP service may have nothing to publish")
@pytest.mark.parametrize("status", [202, 204])
def test_it_may_answer_without_an_event(embedded_testbed, until, status):
    testbed = embedded_testbed
    route(testbed)
    calls = []

    async def foreign(request, body):
        calls.append(json.loads(body)["id"])
        return web.Response(status=status)

    testbed.function.foreign = foreign
    testbed.produce("a:1", b"k", destination="other")
    testbed.flush()
    consumer = testbed.consume()
    sample = 'fncast_events_total{destination="other",outcome="skipped"} 1.0'
    until(lambda: calls, 30, "a call")
    until(lambda: sample in consumer.admin("/metrics")[1], 10, lambda: consumer.admin("/metrics")[1])
    assert consumer.terminate() == 0
    assert calls == ["a:1"]
    assert testbed.read_all(testbed.forecasts) == testbed.read_all(testbed.dead) == []


@pytest.mark.guarantee("what an HTTP service rejects is a dead letter")
@pytest.mark.parametrize(("status", "reason"), [(400, "not this"), (415, "not this"), (422, "not this")])
def test_an_event_that_it_rejects_is_a_dead_letter(embedded_testbed, status, reason):
    testbed = embedded_testbed
    route(testbed)

    async def foreign(request, body):
        return web.Response(status=status, text=reason)

    testbed.function.foreign = foreign
    testbed.produce("a:1", b"k", destination="other")
    testbed.flush()
    consumer = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    assert reason in dict(letter.headers())["fncast-reason"].decode()
    assert consumer.terminate() == 0
