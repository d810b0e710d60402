"""FunctionClient with an HTTP server that answers like an Fn server and like other functions."""

import asyncio

import aiohttp
import orjson
import pytest
from aiohttp import web

from interceptor.errors import Refused, RetriableError
from interceptor.routes import function_client
from interceptor.routes.client import EventsAnswer
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.route import Route
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
    with pytest.raises(RetriableError, match=r"has no function fncast/forecast: deploy it"):
        await client.call(FN, [EVENT])


async def test_structured_mode_for_one_event(fn, client):
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
    ("status", "is_refusal"), [(400, True), (413, True), (415, True), (422, True), (401, False)]
)
async def test_some_statuses_of_a_url_function_are_refusals(fn, client, status, is_refusal):
    fn.handle = lambda: web.Response(status=status, text="not this")
    with pytest.raises(Refused if is_refusal else RetriableError, match="not this"):
        await client.call(url(fn), [EVENT])


async def test_413_of_an_fn_function_is_a_refusal(fn, client):
    fn.handle = lambda: web.Response(status=413)
    with pytest.raises(Refused):
        await client.call(FN, [EVENT])


async def test_a_call_times_out(fn):
    async def hang():
        await asyncio.sleep(30)

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


@pytest.mark.parametrize(
    ("value", "fn_url", "has_token", "called"),
    [
        ("http://lb:80/invoke/F", "http://fn:8080", False, "http://lb:80/invoke/F"),
        ("http://lb:80/invoke/F", "http://fn:8080", True, "http://fn:8080/invoke/F"),
        ("http://fn:8081/invoke/F", "http://fn:8080", True, "http://fn:8080/invoke/F"),
        ("https://FN/invoke/F", "https://fn:443", True, "https://FN/invoke/F"),
        ("http://fn/invoke/F", "https://fn", False, "https://fn/invoke/F"),
        ("https://lb/invoke/F", "https://fn", False, "https://lb/invoke/F"),
    ],
)
def test_a_token_is_sent_only_to_the_configured_origin_and_tls_is_kept(value, fn_url, has_token, called):
    assert function_client.trusted_endpoint(value, fn_url, has_token) == called


@pytest.mark.parametrize("whose", ["fn", "route"])
async def test_another_origin_that_the_fn_server_names_does_not_get_the_token(fn, whose):
    fn.endpoint = "http://127.0.0.1:1/invoke/F"
    client = FunctionClient(fn.url, timeout_s=2, connections=1, fn_token="secret" * (whose == "fn"))
    await client.call(Route("r", FN.target, batch=True, token="secret" * (whose == "route")), [EVENT])
    ((headers, _),) = fn.requests
    assert headers["Authorization"] == "Bearer secret"
    await client.close()


async def test_without_a_token_the_reported_endpoint_is_called(fn, client):
    fn.endpoint = "http://127.0.0.1:1/invoke/F"
    with pytest.raises(RetriableError, match=r"127.0.0.1:1/invoke/F cannot be reached"):
        await client.call(FN, [EVENT])


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


async def test_a_redirect_is_not_followed(fn, client):
    fn.handle = lambda: web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})
    with pytest.raises(RetriableError, match="307"):
        await client.call(url(fn), [EVENT])


@pytest.mark.parametrize("items", [[{}], [[]], ["x"], {"0": 1}, 7])
async def test_an_invalid_answer_of_the_fn_server_is_retriable(fn, items):
    fn.apps_items = items
    client = FunctionClient(fn.url, timeout_s=2, connections=1)
    with pytest.raises(RetriableError):
        await client.call(FN, [EVENT])
    await client.close()


async def test_an_error_is_one_line_without_the_secrets_of_the_url(fn, client):
    fn.handle = lambda: web.Response(status=503, body=b"no\n2026-11-22 INFO forged")
    secret = url(fn).target.replace("//", "//bob:S3CRET@") + "?code=S3CRET"
    with pytest.raises(RetriableError) as raised:
        await client.call(Route("r", secret, batch=False), [EVENT])
    assert "answers 503: no 2026" in str(raised.value)
    assert "S3CRET" not in str(raised.value)
    assert "S3CRET" not in repr(Route("r", "http://h", batch=False, token="S3CRET"))


@pytest.mark.parametrize(
    "response",
    [b"garb\x00age\r\n\r\n", b"HTTP/1.1 200 OK\r\nx\n2026-11-22 INFO forged\r\n\r\n" + b"y" * 5000],
)
async def test_an_answer_that_is_not_http_gives_a_short_error_without_secrets(response):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = FunctionClient("http://fn", timeout_s=2, connections=1)
    target = f"http://bob:S3CRET@127.0.0.1:{port}/x?code=S3CRET"
    with pytest.raises(RetriableError, match=f"^http://127.0.0.1:{port}/x cannot be reached: ") as raised:
        await client.call(Route("r", target, batch=False), [EVENT])
    assert "S3CRET" not in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500
    await client.close()
    server.close()


async def test_a_url_that_the_client_refuses_is_not_shown(client):
    with pytest.raises(RetriableError, match="cannot be reached: it is not a URL") as raised:
        await client.call(Route("r", "http://bob:S3CRET@\u2100/?code=S3CRET", batch=False), [EVENT])
    assert "S3CRET" not in str(raised.value)
