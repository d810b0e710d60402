"""The answer to a call in JSON: how each of its deliveries ends."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from interceptor.errors import RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes.client import EventsAnswer
from tests.interceptor.deliveries import new_delivery, new_output

REJECTED, UNAVAILABLE = "io.fncast.rejected.v1", "io.fncast.unavailable.v1"


def batch(*outputs: dict[str, Any]) -> EventsAnswer:
    return EventsAnswer(orjson.dumps(outputs), True)


def test_each_delivery_ends_by_the_output_that_names_it() -> None:
    answer = batch(new_output("b", REJECTED, data={"reason": "bad"}), new_output("a"))
    first, second = answer.results([new_delivery("a"), new_delivery("b")])
    assert isinstance(first, Forecast)
    assert second == DeadLetter("bad", attempts=1, kind="refused_by_function")


def test_one_event_answers_one_delivery() -> None:
    (result,) = EventsAnswer(orjson.dumps(new_output("a")), False).results([new_delivery("a")])
    assert isinstance(result, Forecast)


def test_an_answer_without_a_body_skips_every_delivery() -> None:
    answer = EventsAnswer(None, True)
    assert answer.outputs() == []
    assert answer.results([new_delivery("a"), new_delivery("b")]) == [Skipped("no event to publish")] * 2


def test_a_delivery_that_must_be_called_again_does_not_hold_up_the_others() -> None:
    answer = batch(new_output("a", UNAVAILABLE, data={"reason": "away"}), new_output("b"))
    waiting, done = answer.results([new_delivery("a"), new_delivery("b")])
    assert isinstance(waiting, RetriableError)
    assert isinstance(done, Forecast)


@pytest.mark.parametrize("is_batch", [True, False])
@pytest.mark.parametrize("body", [b"", b"{", b"7", b'{"id":"x"}'])
def test_an_answer_that_is_invalid_as_a_whole_is_retriable(body: bytes, is_batch: bool) -> None:
    with pytest.raises(RetriableError):
        EventsAnswer(body, is_batch).results([new_delivery("a")])
