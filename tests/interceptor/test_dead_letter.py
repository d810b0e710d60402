"""A dead letter is the record as it was, and why."""

from hypothesis import given
from hypothesis import strategies as st

from interceptor import dead_letter
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter
from interceptor.route import Route

OWN = [("ce_id", b"1"), ("x", None), ("x", b"\xff"), ("x", b"\xff")]


def delivery(headers=OWN) -> Delivery:
    made = Delivery(Record("metrics", 3, 42, 1_700_000_000_000, b"k", b"v", list(headers)))
    made.route = Route("forecast", "fn:fncast/forecast", batch=True)
    return made


def test_its_own_headers_stay_in_order_and_ours_follow():
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


def test_a_replay_finds_the_record_as_it_was():
    letter = dead_letter.headers(delivery(), DeadLetter("bad"))
    assert dead_letter.stripped(Record("dead-letters", 0, 0, 0, b"k", b"v", letter)) == OWN


@given(reason=st.text(max_size=3000))
def test_what_is_added_is_bounded_and_readable(reason):
    added = dead_letter.headers(delivery([]), DeadLetter(reason))
    assert sum(len(name) + len(value) for name, value in added) < dead_letter.MAX_ADDED_BYTES
    text = dict(added)["fncast-reason"].decode("utf-8")
    assert len(text.encode()) <= dead_letter.MAX_DATA_BYTES
