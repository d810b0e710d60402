"""Secrets of a route that its function echoes are not shown."""

import base64

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from interceptor import dead_letter
from interceptor.chain import read_delivery
from interceptor.cloudevents.answers import REJECTED_TYPE, UNAVAILABLE_TYPE, decode
from interceptor.delivery import Delivery, Record
from interceptor.errors import Rejected, RetriableError
from interceptor.outcome import DeadLetter
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.outcomes import UNAVAILABLE_REASON, outcome_of
from interceptor.routes.route import Route

TOKEN = "t0ken-of-the-route"
ROUTE = Route("r", "http://bobby:hunt%20er2@host/path?code=S3CR%2fET&b=c", batch=False, token=TOKEN)
BASIC = base64.b64encode(b"bobby:hunt er2").decode()
ECHOES = [
    TOKEN,
    "bobby:hunt%20er2",
    "hunt%20er2",
    "hunt er2",
    "bobby",
    BASIC,
    "code=S3CR%2fET&b=c",
    "S3CR%2fET",
    "S3CR/ET",
]


def delivery() -> Delivery:
    headers = [("ce_" + name, b"1.0") for name in ("specversion", "id", "source", "type")]
    built = Delivery(Record("metrics", 0, 0, 0, None, b"[1]", headers))
    read_delivery(built)
    built.route = ROUTE
    return built


@pytest.mark.parametrize("echo", ECHOES)
def test_a_dead_letter_does_not_show_a_secret(echo):
    headers = dict(dead_letter.headers(delivery(), DeadLetter(f"a 'b' <{echo}> and <{echo}>")))
    assert headers["fncast-reason"] == headers["knativeerrordata"] == "a 'b' <…> and <…>".encode()


@pytest.mark.parametrize("echo", ECHOES)
def test_a_function_reason_does_not_show_part_of_a_secret(echo):
    data = {"reason": "x" * 1020 + echo}
    members = {"specversion": "1.0", "id": "o", "source": "/f", "data": data}
    for type_ in (REJECTED_TYPE, UNAVAILABLE_TYPE):
        outputs = decode(orjson.dumps([{**members, "type": type_}]))
        try:
            reason = outcome_of(delivery(), outputs).reason
        except RetriableError as error:
            reason = str(error).removeprefix(f"{UNAVAILABLE_REASON}: ")
        assert reason == "x" * 1020 + "…"


@pytest.mark.parametrize("echo", [TOKEN, "hunt er2", "S3CR/ET"])
@pytest.mark.parametrize("status", [422, 503])
@pytest.mark.parametrize("as_message", [False, True])
async def test_an_error_body_does_not_show_part_of_a_secret(status, echo, as_message):
    text = f"{echo} " + "x" * 290 + echo
    body = orjson.dumps({"message": text}) if as_message else text.encode()

    async def answers(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    app = web.Application()
    app.add_routes([web.post("/path", answers)])
    server = TestServer(app)
    await server.start_server()
    client = FunctionClient("http://fn", timeout_s=2, connections=1)
    target = ROUTE.target.replace("@host", f"@{server.host}:{server.port}")
    if echo == TOKEN:  # a request cannot have both a login and a token
        target = target.replace("bobby:hunt%20er2@", "")
    with pytest.raises((Rejected, RetriableError)) as raised:
        await client.call(
            Route("r", target, batch=False, token=TOKEN if echo == TOKEN else ""), [delivery().opened]
        )
    assert str(raised.value).endswith(f"answers {status}: … " + "x" * 290 + "…")
    await client.close()
    await server.close()


def test_short_parts_of_a_url_are_not_removed():
    built = delivery()
    built.route = Route("r", "http://host/?a=1&b=on", batch=False)
    headers = dict(dead_letter.headers(built, DeadLetter("values[1] is not a number, a=1&b=on")))
    assert headers["fncast-reason"] == "values[1] is not a number, …".encode()


def test_a_route_without_secrets_changes_nothing():
    built = delivery()
    built.route = Route("r", "fn:app/f", batch=True)
    assert dict(dead_letter.headers(built, DeadLetter("a reason")))["fncast-reason"] == b"a reason"
