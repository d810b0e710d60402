"""The HTTP request of a call, in structured and binary mode."""

import orjson
import pytest
from aiohttp import web

from interceptor.cloudevents.reader import read_event
from interceptor.errors import Rejected
from interceptor.routes.route import Route
from tests.interceptor.routes.fake_fn import url


@pytest.mark.parametrize("content_type", [None, b"application/json", b"text/plain"])
async def test_an_event_without_data_is_sent_without_a_body(fn, client, content_type):
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/in"), ("ce_type", b"t")]
    event = read_event([*headers, *([("content-type", content_type)] if content_type else [])], None)
    fn.handle = lambda: web.Response(status=204)
    await client.call(url(fn, mode="binary"), [event])
    sent, body = fn.requests[0]
    assert (sent["ce-id"], sent["Content-Length"], body) == ("1", "0", b"")
    assert sent.get("Content-Type") == (content_type.decode() if content_type else None)
    await client.call(url(fn, mode="structured"), [event])
    document = orjson.loads(fn.requests[1][1])
    assert document["id"] == "1"
    assert not document.keys() & {"data", "data_base64"}


@pytest.mark.parametrize(
    ("content_type", "data", "body"),
    [
        ("text/plain", '"\u00e9\\n"', "é\n"),
        ("text/plain", "[1]", "[1]"),
        ("application/json", '"text"', '"text"'),
        (None, '"text"', '"text"'),
    ],
)
async def test_text_data_of_a_structured_event_is_the_body_in_binary_mode(
    fn, client, content_type, data, body
):
    member = f',"datacontenttype":"{content_type}"' if content_type else ""
    structured = f'{{"specversion":"1.0","id":"1","source":"/s","type":"t"{member},"data":{data}}}'
    event = read_event([("content-type", b"application/cloudevents+json")], structured.encode())
    await client.call(url(fn, mode="binary"), [event])
    headers, sent = fn.requests[0]
    assert sent.decode() == body
    assert headers["Content-Type"] == (content_type or "application/json")


async def test_a_content_type_that_would_forge_a_header_is_rejected(fn, client):
    event = read_event(
        [
            *(("ce_" + name, b"1.0") for name in ("specversion", "id", "source", "type")),
            ("content-type", b"a\r\nx: y"),
        ],
        b"1",
    )
    with pytest.raises(Rejected, match="not a valid header value"):
        await client.call(Route("r", fn.url, batch=False, mode="binary"), [event])
