"""FunctionClient with an HTTP server that answers like an Fn server and like other functions."""

import asyncio

import aiohttp
import orjson
import pytest
from aiohttp import web

from interceptor.errors import Rejected, RetriableError
from interceptor.routes import function_client
from interceptor.routes.client import EventsAnswer
from interceptor.routes.function_client import FunctionClient
from tests.interceptor.routes.fake_fn import EVENT, FN, url


async def test_a_function_is_found_once_and_gets_a_batch(fn, client):
    assert await client.call(FN, [EVENT, EVENT]) == EventsAnswer(b"[]", True)
    await client.call(FN, [EVENT])
    assert fn.resolved == 1
    headers, body = fn.requests[0]
    assert headers["Content-Type"] == "application/cloudevents-batch+json"
    assert [event["data"] for event in orjson.loads(body)] == [[1, 2], [1, 2]]


async def test_a_binary_answer_without_a_body_is_an_event_without_data(fn, client):
    headers = {"ce-specversion": "1.0", "ce-id": "o", "ce-source": "/f", "ce-type": "t", "ce-subject": ""}
    fn.handle = lambda: web.Response(headers=headers)
    answer = await client.call(url(fn), [EVENT])
    assert not orjson.loads(answer.body).keys() & {"data", "data_base64", "subject"}


async def test_a_function_that_was_deployed_again_is_looked_up_again(fn, client):
    await client.call(FN, [EVENT])
    fn.handle = lambda: web.json_response({"message": "Fn not found"}, status=404)
    with pytest.raises(RetriableError, match="404: Fn not found"):
        await client.call(FN, [EVENT])
    with pytest.raises(RetriableError):
        await client.call(FN, [EVENT])
    assert fn.resolved == 2


async def test_a_function_that_is_not_deployed_is_named(fn, client):
    fn.has_function = False
    with pytest.raises(RetriableError, match=r"has no function fncast/forecast: deploy it") as raised:
        await client.call(FN, [EVENT])
    assert not raised.value.is_sent  # the event cannot be the cause


async def test_a_single_event_is_sent_in_structured_mode(fn, client):
    fn.handle = lambda: web.Response(body=b'{"id":"x"}', content_type="application/cloudevents+json")
    assert await client.call(url(fn), [EVENT]) == EventsAnswer(b'{"id":"x"}', False)
    headers, body = fn.requests[0]
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert orjson.loads(body)["id"] == "é 1%"


async def test_a_function_in_binary_mode_gets_and_returns_binary_events(fn, client):
    fn.handle = lambda: web.Response(
        body=b"[3]",
        content_type="application/json",
        headers={"ce-specversion": "1.0", "ce-id": "%C3%A9", "ce-source": "/f", "ce-type": "t"},
    )
    answer = await client.call(url(fn, mode="binary", token="secret"), [EVENT])
    headers, body = fn.requests[0]
    assert body == b"[1,2]"
    assert (headers["ce-id"], headers["Content-Type"]) == ("%C3%A9%201%25", "application/json")
    assert headers["Authorization"] == "Bearer secret"
    assert orjson.loads(answer.body)["id"] == "é"
    assert orjson.loads(answer.body)["data"] == [3]


@pytest.mark.parametrize("status", [202, 204])
async def test_202_and_204_mean_no_event(fn, client, status):
    fn.handle = lambda: web.Response(status=status)
    assert await client.call(url(fn), [EVENT]) == EventsAnswer(None, False)


@pytest.mark.guarantee("an empty 200 is an error, not an outcome")
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize(("status", "body"), [(200, b""), (201, b""), (203, b""), (200, b" \n")])
async def test_an_empty_body_with_another_status_is_retriable(fn, client, batch, mode, status, body):
    fn.handle = lambda: web.Response(status=status, body=body)
    with pytest.raises(
        RetriableError, match=rf"answers {status} without an event; answer 202 or 204"
    ) as raised:
        await client.call(url(fn, batch=batch, mode=mode), [EVENT])
    assert raised.value.code == status
    assert raised.value.is_sent


async def test_a_binary_event_may_have_no_data(fn, client):
    headers = {"ce-specversion": "1.0", "ce-id": "x", "ce-source": "/f", "ce-type": "t"}
    fn.handle = lambda: web.Response(headers=headers)
    answer = await client.call(url(fn), [EVENT])
    assert orjson.loads(answer.body)["id"] == "x"


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_empty_body_from_an_fn_function_is_retriable(fn, client, status):
    fn.handle = lambda: web.Response(status=status)
    with pytest.raises(RetriableError, match=rf"fn:fncast/forecast answers {status} without an event"):
        await client.call(FN, [EVENT])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 429, 500, 502, 503, 504])
async def test_fn_statuses_are_retriable(fn, client, status):
    fn.handle = lambda: web.json_response({"message": "no"}, status=status, headers={"Retry-After": "15"})
    with pytest.raises(RetriableError, match=f"{status}: no") as error:
        await client.call(FN, [EVENT])
    assert error.value.retry_after_s == 15


@pytest.mark.parametrize(
    ("status", "is_rejection"), [(400, True), (413, True), (415, True), (422, True), (401, False)]
)
async def test_some_statuses_of_a_url_function_are_rejections(fn, client, status, is_rejection):
    fn.handle = lambda: web.Response(status=status, text="not this")
    with pytest.raises(Rejected if is_rejection else RetriableError, match="not this"):
        await client.call(url(fn), [EVENT])


async def test_413_of_an_fn_function_is_a_rejection(fn, client):
    fn.handle = lambda: web.Response(status=413)
    with pytest.raises(Rejected):
        await client.call(FN, [EVENT])


async def test_a_call_times_out(fn):
    async def hang():
        await asyncio.Event().wait()

    fn.handle = hang
    client = FunctionClient(fn.url, timeout_s=0.2, connections=1)
    with pytest.raises(RetriableError, match="within the time-out"):
        await client.call(url(fn), [EVENT])
    await client.close()


async def test_a_refused_connection_is_retriable(unused_tcp_port_factory):
    client = FunctionClient(f"http://127.0.0.1:{unused_tcp_port_factory()}", timeout_s=2, connections=1)
    with pytest.raises(RetriableError, match="cannot be reached") as raised:
        await client.call(FN, [EVENT])
    assert not raised.value.is_sent
    await client.close()


async def test_an_unreachable_endpoint_is_looked_up_again(fn, client):
    fn.endpoint = "http://127.0.0.1:1/invoke/F"
    with pytest.raises(RetriableError, match="cannot be reached"):
        await client.call(FN, [EVENT])
    fn.endpoint = ""  # the server now reports another address
    await client.call(FN, [EVENT])
    assert fn.resolved == 2


async def test_an_invalid_endpoint_is_an_error(fn, client):
    fn.endpoint = "http://[::1/invoke"
    with pytest.raises(RetriableError, match="gives no invoke endpoint"):
        await client.call(FN, [EVENT])


async def test_a_connection_time_out_means_that_nothing_was_sent(client, monkeypatch):
    def request(*_, **__):
        raise aiohttp.ConnectionTimeoutError("Connection timeout to host")

    monkeypatch.setattr(aiohttp.ClientSession, "request", request)
    with pytest.raises(RetriableError, match=r"no connection to .* within the time-out") as raised:
        await client.call(FN, [EVENT])
    assert not raised.value.is_sent


async def test_an_answer_above_the_limit_is_an_error(fn, client, monkeypatch):
    monkeypatch.setattr(function_client, "MAX_ANSWER_BYTES", 10)
    fn.handle = lambda: web.Response(body=b"x" * 100)
    with pytest.raises(RetriableError, match="larger than 10 bytes"):
        await client.call(url(fn), [EVENT])


@pytest.mark.parametrize("items", [[{}], [[]], ["x"], {"0": 1}, 7])
async def test_an_invalid_answer_of_the_fn_server_is_retriable(fn, items):
    fn.apps_items = items
    client = FunctionClient(fn.url, timeout_s=2, connections=1)
    with pytest.raises(RetriableError):
        await client.call(FN, [EVENT])
    await client.close()
