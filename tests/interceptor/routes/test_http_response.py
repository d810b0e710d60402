"""The response of a call: its headers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest

from interceptor.errors import RetriableError
from interceptor.routes import http_response
from interceptor.routes.client import EventsAnswer
from interceptor.routes.route import Route

FN = Route("forecast", "fn:fncast/forecast", batch=True)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("0", 0, 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0, 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0, 0),
        ("Sun Nov  6 08:49:37 1994", 0, 0),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 0, 0),
        ("2099-01-01T00:00:00Z", None, None),
        ("9" * 5000, float("inf"), float("inf")),
        ("soon", None, None),
        ("Sun, 99 Nov 2030 08:49:37 GMT", None, None),
        ("²", None, None),
        ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", None, None),
        ("Sun, 06 Nov 1994 08:49:37 +99999999999999999999", None, None),
        ("", None, None),
    ],
)
def test_retry_after_has_two_forms(value, least, most):
    after_s = http_response.retry_after_s({"Retry-After": value})
    assert after_s is None if least is None else least <= after_s <= most


def test_retry_after_as_a_date_is_counted_from_now():
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3000 <= http_response.retry_after_s({"Retry-After": in_an_hour}) <= 3600


@pytest.mark.parametrize(
    "headers",
    [
        {
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-source": "/s",
            "ce-type": "t",
            "ce-subject": "\udcff\udcfe",
        },
        {
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-source": "/s",
            "ce-type": "t",
            "Content-Type": "text/\udcff",
        },
    ],
)
def test_headers_that_are_not_utf8_are_invalid(headers):
    """aiohttp decodes such bytes to lone surrogates."""
    with pytest.raises(RetriableError, match="invalid answer"):
        http_response.read_response(FN, 200, headers, b"1")


@pytest.mark.parametrize(
    ("value", "text"),
    [("/a%20b", "/a b"), ('"/a b"', "/a b"), (r'"/a \"b\" %C3%A9"', '/a "b" é'), ('a"', 'a"'), ('"', '"')],
)
def test_headers_of_a_binary_answer_are_unescaped(value, text):
    """HTTP binding of CloudEvents, section 3.1.3.2: a quoted string first, then percent-encoding."""
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": value, "ce-type": "t"}
    answer = http_response.read_response(FN, 200, headers, b"1")
    assert orjson.loads(answer.body)["source"] == text


@pytest.mark.parametrize(("body", "is_batch"), [(b"[{}]", True), (b"\n [{}]", True), (b"\n {}", False)])
def test_an_array_of_another_content_type_is_a_batch(body, is_batch):
    headers = {"Content-Type": "application/json"}
    assert http_response.read_response(FN, 200, headers, body) == EventsAnswer(body, is_batch)
