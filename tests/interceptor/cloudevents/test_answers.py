"""Answers of a function: decoded, or rejected as invalid."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.answers import Unset, decode, decode_single
from interceptor.errors import RetriableError
from tests.interceptor.deliveries import new_output


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[",
        b"null",
        b"[1]",
        b'[{"id":"1"}]',
        b'[{"id":"1","source":"s","specversion":"1.0","type":"t","data":"\xff"}]',
        b'[{"id":"1","source":"s","specversion":"1.0","type":"t","a-b":"x"}]',
        b'[{"id":"1","source":"s","specversion":"1.0","type":"t","x":[1]}]',
        b'[{"id":"1","source":"s","specversion":"1.0","type":"t","_":{"id":"2"}}]',
        b"[" * 100_000,
    ],
)
def test_an_invalid_answer_is_retriable(body):
    with pytest.raises(RetriableError, match="invalid answer"):
        decode(body)


def test_a_structured_answer_is_one_event():
    event = orjson.dumps(new_output("a"))
    assert len(decode_single(event)) == 1
    with pytest.raises(RetriableError, match="invalid answer"):
        decode_single(event + b"," + event)


def test_an_error_that_quotes_an_answer_has_no_control_characters():
    with pytest.raises(RetriableError, match="invalid answer") as error:
        decode(orjson.dumps([new_output("a", specversion="\x1b[2J\r\nforged")]))
    assert str(error.value).isprintable()


@given(st.binary())
def test_any_body_decodes_or_raises_a_retriable_error(body):
    try:
        decode(body)
    except RetriableError:
        pass


def test_a_null_attribute_is_unset_and_null_data_is_data():
    body = b"""{"specversion":"1.0","id":"o","source":"/f","type":"t","subject":null,"time":null,"causationid":null,
        "mine":null,"other":"x","data_base64":null,"data":null}"""
    (output,) = decode_single(body)
    assert output.subject is output.time is output.causationid is output.data_base64 is Unset
    assert output.others == {"other": "x"}
    assert bytes(output.data) == b"null"


@pytest.mark.parametrize(
    "change", [{"specversion": "0.3"}, {"id": ""}, {"source": ""}, {"type": ""}, {"id": None}]
)
def test_an_event_without_a_required_attribute_is_invalid(change):
    event = {"specversion": "1.0", "id": "o", "source": "/f", "type": "t"} | change
    with pytest.raises(RetriableError, match="invalid answer"):
        decode_single(orjson.dumps(event))
