"""A dead letter is the original record with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor import dead_letter
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter
from interceptor.routes.route import Route

OWN = [("ce_id", b"1"), ("x", None), ("x", b"\xff"), ("x", b"\xff")]


def delivery(headers=OWN) -> Delivery:
    delivery = Delivery(Record("metrics", 3, 42, 1_700_000_000_000, b"k", b"v", list(headers)))
    delivery.route = Route("forecast", "fn:fncast/forecast", batch=True)
    return delivery


def test_the_original_headers_come_first_and_in_order():
    headers = dead_letter.headers(delivery(), DeadLetter("bad\nvalue", code=422, attempts=2))
    assert headers[: len(OWN)] == OWN
    assert dict(headers[len(OWN) :]) == {
        "knativeerrordest": b"fn:fncast/forecast",
        "knativeerrorcode": b"422",
        "knativeerrordata": b"bad value",
        "fncast-reason": b"bad value",
        "fncast-attempts": b"2",
        "fncast-topic": b"metrics",
        "fncast-partition": b"3",
        "fncast-offset": b"42",
        "fncast-timestamp": b"1700000000000",
    }


def test_a_replay_restores_the_original_headers():
    letter = dead_letter.headers(delivery(), DeadLetter("bad"))
    assert dead_letter.split_headers(record(letter)) == (OWN, letter[len(OWN) :])


def record(headers):
    return Record("dead-letters", 0, 0, 0, b"k", b"v", headers)


@pytest.mark.parametrize("code", [None, 422])
@pytest.mark.parametrize("names", [("knativeerrordata", "fncast-offset"), dead_letter.ADDED_HEADERS])
def test_the_senders_own_headers_of_the_same_names_stay(names, code):
    original = [*OWN, *((name, b"the sender's") for name in names), ("knativeerrorcode", b"500")]
    letter = dead_letter.headers(delivery(original), DeadLetter("bad", code))
    assert dead_letter.split_headers(record(letter))[0] == original
    again = Delivery(record(letter))
    twice = dead_letter.headers(again, DeadLetter("rejected again"))
    assert dead_letter.split_headers(record(twice))[0] == letter


@pytest.mark.parametrize("after", [[], [("traceparent", b"t")]])
@pytest.mark.parametrize(
    "names", [dead_letter.ADDED_HEADERS, dead_letter.ADDED_HEADERS[::-1], ("fncast-topic",)]
)
def test_another_program_may_order_the_added_headers_and_write_others_after_them(names, after):
    added = [(name, b"1") for name in names]
    letter = record([*OWN, ("fncast-topic", b"the sender's"), *added, *after])
    assert dead_letter.split_headers(letter) == ([*OWN, ("fncast-topic", b"the sender's"), *after], added)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*dead_letter.ADDED_HEADERS, "ce_id", "x"]), st.none() | st.binary(max_size=4)
        ),
        max_size=12,
    ),
    st.none() | st.integers(100, 599),
)
def test_any_headers_are_what_a_replay_finds(original, code):
    letter = dead_letter.headers(delivery(original), DeadLetter("bad", code))
    assert dead_letter.split_headers(record(letter))[0] == original


@given(reason=st.text(max_size=3000))
def test_added_headers_are_bounded_and_printable(reason):
    added = dead_letter.headers(delivery([]), DeadLetter(reason))
    assert sum(len(name) + len(value) for name, value in added) < dead_letter.MAX_ADDED_BYTES
    text = dict(added)["fncast-reason"].decode("utf-8")
    assert len(text.encode()) <= dead_letter.MAX_DATA_BYTES
    assert text.isprintable()
