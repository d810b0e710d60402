"""Outcomes of deliveries, from the events that a function returned for them."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.answers import decode
from interceptor.cloudevents.matching import match
from interceptor.cloudevents.output_event import output_id
from interceptor.errors import RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes.outcomes import outcome_of
from tests.interceptor.deliveries import new_delivery, new_output

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
def test_any_outputs_give_an_outcome_or_a_retriable_error(changes, inputs):
    body = json.dumps([new_output("a", data={"values": [1]}) | change for change in changes]).encode()
    deliveries = [new_delivery("a") for _ in range(inputs)]
    try:
        matched = match([delivery.opened for delivery in deliveries], decode(body))
        outcomes = [
            outcome_of(delivery, own_outputs)
            for delivery, own_outputs in zip(deliveries, matched, strict=True)
        ]
    except RetriableError:
        return
    for outcome in outcomes:
        for published in outcome.events if isinstance(outcome, Forecast) else ():
            assert all(name and value for name, value in published.headers)
            assert published.value is None or type(published.value) is bytes


def outcome(*events: dict[str, object], **extensions: str):
    """Return the outcome for a delivery with these extensions."""
    return outcome_of(new_delivery("a", **extensions), decode(orjson.dumps(events)))


def test_a_rejection_is_a_dead_letter_with_its_reason():
    settled = outcome(new_output("a", "io.fncast.rejected.v1", data={"reason": "value 3 is not a number"}))
    assert settled == DeadLetter("value 3 is not a number", attempts=1, kind="refused_by_function")


def test_an_answer_without_a_forecast_skips_the_event():
    assert outcome(new_output("a", "io.fncast.none.v1")) == Skipped("no event to publish")


def test_unavailable_is_retriable_after_the_wait_that_the_function_asked_for():
    with pytest.raises(RetriableError, match="model away") as error:
        outcome(
            new_output("a", "io.fncast.unavailable.v1", data={"reason": "model away", "retry_after_s": 2})
        )
    assert error.value.retry_after_s == 2


@pytest.mark.parametrize("number", [b"1e999", b"9" * 400, b"-1", b"1e300"])
def test_a_wait_out_of_range_is_ignored(number):
    output = new_output("a", "io.fncast.unavailable.v1", data={"reason": "x", "retry_after_s": 7})
    body = orjson.dumps([output]).replace(b"7", number)
    with pytest.raises(RetriableError) as error:
        outcome_of(new_delivery("a"), decode(body))
    assert error.value.retry_after_s is None


def test_a_rejection_with_a_number_out_of_range_is_invalid():
    body = orjson.dumps([new_output("a", "io.fncast.rejected.v1", data={"reason": "x", "value": 7})])
    with pytest.raises(RetriableError, match="invalid answer"):
        outcome_of(new_delivery("a"), decode(body.replace(b"7", b"1e999")))


@pytest.mark.parametrize("order", [1, -1])
def test_a_rejection_beside_a_forecast_is_invalid(order):
    events = [new_output("a"), new_output("a", "io.fncast.rejected.v1")][::order]
    with pytest.raises(RetriableError, match="beside other events"):
        outcome(*events)


def test_a_reason_is_one_clean_line_of_bounded_length():
    reason = "\x1b[2J" + "x" * 2000 + "\r\n2026-01-01 INFO fncast: forged"
    settled = outcome(new_output("a", "io.fncast.rejected.v1", data={"reason": reason}))
    assert settled.reason.startswith("�xxx")
    assert settled.reason.isprintable()
    assert len(settled.reason) == 1024


def test_several_outputs_of_one_input_have_different_ids():
    settled = outcome(new_output("a"), new_output("a"))
    ids = [dict(output.headers)["ce_id"] for output in settled.events]
    assert ids == [output_id("/in", "a", "forecast", n).encode() for n in (0, 1)]
