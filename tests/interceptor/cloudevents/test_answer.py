"""Answers matched to inputs, by name, by position, or not at all."""

import json
import uuid
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.chain import read
from interceptor.cloudevents import answer
from interceptor.cloudevents.answer import NAMESPACE, output_id
from interceptor.delivery import Delivery, Record
from interceptor.errors import RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes.route import Route

ROUTE = Route("forecast", "fn:fncast/forecast", batch=True)


def delivery(id_: str, **extensions: str) -> Delivery:
    headers = [("ce_specversion", b"1.0"), ("ce_id", id_.encode()), ("ce_source", b"/in"), ("ce_type", b"t")]
    headers += [(f"ce_{name}", text.encode()) for name, text in extensions.items()]
    made = Delivery(Record("metrics", 0, 0, 0, None, b"[1]", headers))
    read(made)
    made.route = ROUTE
    return made


def event(cause: str | None, type_: str = "io.fncast.forecast.v1", **members: object) -> dict[str, object]:
    made: dict[str, object] = {"specversion": "1.0", "id": "o", "source": "/f", "type": type_}
    if cause is not None:
        made |= {"causationid": cause, "causationsource": "/in"}
    return made | members


def matched(ids: Sequence[str], *events: dict[str, object]) -> list[list[str]]:
    """The ids of the outputs of each input."""
    outputs = answer.decode(orjson.dumps(events))
    return [[output.id for output in own] for own in answer.match([delivery(id_) for id_ in ids], outputs)]


def test_outputs_find_their_inputs_by_name_in_any_order():
    assert matched("ab", event("b", id="1"), event("a", id="2")) == [["2"], ["1"]]


def test_one_input_may_have_several_outputs_that_stand_together():
    assert matched("ab", event("a", id="1"), event("a", id="2"), event("b", id="3")) == [["1", "2"], ["3"]]


def test_without_names_as_many_outputs_as_inputs_match_by_position():
    assert matched("ab", event(None, id="1"), event(None, id="2")) == [["1"], ["2"]]


def test_inputs_of_the_same_name_match_by_position():
    assert matched("aa", event("a", id="1"), event("a", id="2")) == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("ids", "events", "reason"),
    [
        ("ab", [event(None)], "do not tell which"),
        ("aa", [event("a"), event("a"), event("a")], "do not tell which"),
        ("ab", [event("a"), event("c")], "names none that was sent"),
        ("ab", [event("a")], "no answer for the event 'b'"),
        ("ab", [], "no answer for the event 'a'|do not tell"),
        ("ab", [event("a"), event("b"), event("a")], "do not stand together"),
    ],
)
def test_an_answer_that_cannot_be_matched_is_retriable(ids, events, reason):
    with pytest.raises(RetriableError, match=reason):
        matched(ids, *events)


@pytest.mark.parametrize(
    ("ids", "events"),
    [
        (["a", "b"], [event("x" * 100_000), event("a")]),
        (["a", "b"], [event("a"), event("b"), event("a" * 100_000)]),
        (["a", "b" * 100_000], [event("a")]),
        (["a" * 100_000, "b"], [event("a" * 100_000), event("b"), event("a" * 100_000)]),
    ],
)
def test_a_reason_is_short_however_long_a_name_is(ids, events):
    """It goes to the log, and to the page with each word of an outage."""
    with pytest.raises(RetriableError) as raised:
        matched(ids, *events)
    assert len(str(raised.value)) < 200


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
        b"[" * 100_000,
    ],
)
def test_garbage_is_retriable(body):
    with pytest.raises(RetriableError, match="garbage"):
        answer.decode(body)


ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers())
    | st.just("a")
)
NAMES = (
    "id source type specversion causationid subject time modelversion datacontenttype data data_base64 x X-1"
)
MEMBERS = st.sampled_from(tuple(NAMES.split()))


@given(st.lists(st.dictionaries(MEMBERS, ODD, max_size=5), max_size=3), st.integers(1, 2))
def test_any_outputs_are_an_outcome_or_garbage(changes, inputs):
    body = json.dumps([event("a", data={"values": [1]}) | change for change in changes]).encode()
    deliveries = [delivery("a") for _ in range(inputs)]
    try:
        matched = answer.match(deliveries, answer.decode(body))
        outcomes = [answer.outcome(one, own) for one, own in zip(deliveries, matched, strict=True)]
    except RetriableError:
        return
    for outcome in outcomes:
        for published in outcome.events if isinstance(outcome, Forecast) else ():
            assert all(name and value for name, value in published.headers)
            assert published.value is None or type(published.value) is bytes


def test_what_is_quoted_of_an_answer_cannot_steer_the_terminal():
    with pytest.raises(RetriableError, match="garbage") as error:
        answer.decode(orjson.dumps([event("a", specversion="\x1b[2J\r\nforged")]))
    assert str(error.value).isprintable()


@given(st.binary())
def test_any_body_is_events_or_garbage(body):
    try:
        answer.decode(body)
    except RetriableError:
        pass


def outcome(*events: dict[str, object], **extensions: str):
    asked = delivery("a", **extensions)
    return answer.outcome(asked, answer.decode(orjson.dumps(events)))


def test_a_rejection_is_a_dead_letter_with_its_reason():
    settled = outcome(event("a", "io.fncast.rejected.v1", data={"reason": "value 3 is no number"}))
    assert settled == DeadLetter("value 3 is no number", attempts=1, kind="refused_by_function")


def test_nothing_to_say_is_skipped():
    assert outcome(event("a", "io.fncast.none.v1")) == Skipped("no event to publish")


def test_unavailable_is_retriable_after_what_it_asks_for():
    with pytest.raises(RetriableError, match="model away") as error:
        outcome(event("a", "io.fncast.unavailable.v1", data={"reason": "model away", "retry_after_s": 2}))
    assert error.value.retry_after_s == 2


@pytest.mark.parametrize("number", [b"1e999", b"9" * 400, b"-1", b"1e300"])
def test_a_wait_out_of_range_is_left_to_the_back_off(number):
    output = event("a", "io.fncast.unavailable.v1", data={"reason": "x", "retry_after_s": 7})
    body = orjson.dumps([output]).replace(b"7", number)
    with pytest.raises(RetriableError) as error:
        answer.outcome(delivery("a"), answer.decode(body))
    assert error.value.retry_after_s is None


def test_a_rejection_with_a_number_out_of_range_is_garbage():
    body = orjson.dumps([event("a", "io.fncast.rejected.v1", data={"reason": "x", "value": 7})])
    with pytest.raises(RetriableError, match="garbage"):
        answer.outcome(delivery("a"), answer.decode(body.replace(b"7", b"1e999")))


def test_a_null_attribute_is_an_unset_one_and_null_data_are_data():
    body = b"""{"specversion":"1.0","id":"o","source":"/f","type":"t","subject":null,"time":null,"causationid":null,
        "mine":null,"other":"x","data_base64":null,"data":null}"""
    (output,) = answer.decode_single(body)
    assert output.subject is output.time is output.causationid is output.data_base64 is answer.Unset
    assert output.others == {"other": "x"}
    assert bytes(output.data) == b"null"


@pytest.mark.parametrize(
    "wrong", [{"specversion": "0.3"}, {"id": ""}, {"source": ""}, {"type": ""}, {"id": None}]
)
def test_an_event_without_what_every_event_has_is_garbage(wrong):
    whole = {"specversion": "1.0", "id": "o", "source": "/f", "type": "t"} | wrong
    with pytest.raises(RetriableError, match="garbage"):
        answer.decode_single(orjson.dumps(whole))


@pytest.mark.parametrize("order", [1, -1])
def test_a_rejection_beside_a_forecast_is_garbage(order):
    events = [event("a"), event("a", "io.fncast.rejected.v1")][::order]
    with pytest.raises(RetriableError, match="beside other events"):
        outcome(*events)


def test_a_forecast_carries_over_what_its_input_brought():
    settled = outcome(
        event(
            "a", modelname="forecast", modelversion=3, extra=True, data={"values": [1]}, subject="not this"
        ),
        subject="cpu",
        partitionkey="cpu",
        traceparent="00-1-2-01",
    )
    assert isinstance(settled, Forecast)
    (published,) = settled.events
    assert dict(published.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": output_id("/in", "a", "forecast", 0).encode(),
        "ce_source": b"/f",
        "ce_type": b"io.fncast.forecast.v1",
        "ce_causationid": b"a",
        "ce_causationsource": b"/in",
        "ce_originid": b"o",
        "ce_subject": b"cpu",
        "ce_partitionkey": b"cpu",
        "ce_traceparent": b"00-1-2-01",
        "ce_modelname": b"forecast",
        "ce_modelversion": b"3",
        "ce_extra": b"true",
        "content-type": b"application/json",
    }
    assert published.value == b'{"values":[1]}'


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ({"datacontenttype": "text/plain", "data": "é\n"}, "é\n"),
        ({"datacontenttype": "text/plain", "data": [1]}, "[1]"),
        ({"datacontenttype": "application/json", "data": "é"}, '"é"'),
        ({"data": "é"}, '"é"'),
    ],
)
def test_text_that_a_function_answers_is_published_as_it_is(members, value):
    (published,) = outcome(event("a", **members)).events
    assert published.value.decode() == value


def test_an_output_without_data_is_published_as_kafkas_null():
    (published,) = outcome(event("a")).events
    assert published.value is None
    assert "content-type" not in dict(published.headers)


def test_null_beside_data_is_absent():
    (published,) = outcome(event("a", data=None, data_base64="AP8=")).events
    assert published.value == b"\x00\xff"
    (published,) = outcome(event("a", data=[1], data_base64=None)).events
    assert published.value == b"[1]"
    (published,) = outcome(event("a", data=None)).events
    assert published.value == b"null"


def test_data_twice_is_garbage():
    with pytest.raises(RetriableError, match="both data and data_base64"):
        outcome(event("a", data=[1], data_base64="AP8="))


def test_an_empty_attribute_of_an_output_is_absent():
    names = (
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "modelname",
        "partitionkey",
        "traceparent",
        "x",
    )
    (published,) = outcome(event("a", data=[1], **dict.fromkeys(names, ""))).events
    headers = dict(published.headers)
    assert headers["content-type"] == b"application/json"
    assert b"" not in headers.values()
    assert matched("ab", event("", id="1"), event("", id="2")) == [["1"], ["2"]]


def test_a_reason_is_one_clean_line_of_bounded_length():
    told = "\x1b[2J" + "x" * 2000 + "\r\n2026-01-01 INFO fncast: forged"
    settled = outcome(event("a", "io.fncast.rejected.v1", data={"reason": told}))
    assert settled.reason.startswith("�xxx")
    assert settled.reason.isprintable()
    assert len(settled.reason) == 1024


def test_a_functions_own_attribute_does_not_double_one_of_ours():
    """Where it passes on what an earlier consumer published, say."""
    (published,) = outcome(event("a", originid="older", causationid="a")).events
    names = [name for name, _ in published.headers]
    assert len(names) == len(set(names))
    assert dict(published.headers)["ce_originid"] == b"o"


def test_several_outputs_of_one_input_have_ids_of_their_own():
    settled = outcome(event("a"), event("a"))
    ids = [dict(published.headers)["ce_id"] for published in settled.events]
    assert ids == [output_id("/in", "a", "forecast", n).encode() for n in (0, 1)]


@given(source=st.text(), id_=st.text(), route=st.text(), index=st.integers(0, 100))
def test_ids_are_uuid5_of_the_json_array(source, id_, route, index):
    try:
        name = orjson.dumps([source, id_, route, index])
    except TypeError:  # a lone surrogate: no event has one
        return
    expected = uuid.uuid5(NAMESPACE, name.decode())
    assert output_id(source, id_, route, index) == str(expected)
