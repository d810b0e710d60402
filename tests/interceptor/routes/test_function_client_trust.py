"""Which addresses the client trusts: who gets a token, and what an error shows."""

import asyncio

import pytest
from aiohttp import web

from interceptor.errors import RetriableError
from interceptor.routes import function_client
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.route import Route
from tests.interceptor.routes.fake_fn import EVENT, FN, url


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


async def test_a_redirect_is_not_followed(fn, client):
    fn.handle = lambda: web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})
    with pytest.raises(RetriableError, match="307"):
        await client.call(url(fn), [EVENT])


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


async def test_a_url_that_the_client_rejects_is_not_shown(client):
    with pytest.raises(RetriableError, match="cannot be reached: it is not a URL") as raised:
        await client.call(Route("r", "http://bob:S3CRET@\u2100/?code=S3CRET", batch=False), [EVENT])
    assert "S3CRET" not in str(raised.value)
