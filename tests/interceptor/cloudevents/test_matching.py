"""Outputs matched to inputs: by name, by position, or not at all."""

from collections.abc import Sequence

import orjson
import pytest

from interceptor.cloudevents.answers import decode
from interceptor.cloudevents.matching import match
from interceptor.errors import RetriableError
from tests.interceptor.deliveries import new_delivery, new_output


def matched_ids(ids: Sequence[str], *outputs: dict[str, object]) -> list[list[str]]:
    """Match the outputs to inputs with these ids. Returns the ids of the outputs of each input."""
    matched = match([new_delivery(id_).opened for id_ in ids], decode(orjson.dumps(outputs)))
    return [[output.id for output in own_outputs] for own_outputs in matched]


def test_outputs_match_by_name_in_any_order():
    assert matched_ids("ab", new_output("b", id="1"), new_output("a", id="2")) == [["2"], ["1"]]


def test_one_input_may_have_several_consecutive_outputs():
    outputs = [new_output("a", id="1"), new_output("a", id="2"), new_output("b", id="3")]
    assert matched_ids("ab", *outputs) == [["1", "2"], ["3"]]


def test_outputs_without_names_match_by_position_if_there_is_one_per_input():
    assert matched_ids("ab", new_output(None, id="1"), new_output(None, id="2")) == [["1"], ["2"]]


def test_inputs_with_equal_names_match_by_position():
    assert matched_ids("aa", new_output("a", id="1"), new_output("a", id="2")) == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("ids", "events", "reason"),
    [
        ("ab", [new_output(None)], "do not assign them"),
        ("aa", [new_output("a"), new_output("a"), new_output("a")], "do not assign them"),
        ("ab", [new_output("a"), new_output("c")], "which was not sent"),
        ("ab", [new_output("a")], "no output event for the input event 'b'"),
        ("ab", [], "no output event for the input event 'a'|do not assign"),
        ("ab", [new_output("a"), new_output("b"), new_output("a")], "are not consecutive"),
    ],
)
def test_an_answer_that_cannot_be_matched_is_retriable(ids, events, reason):
    with pytest.raises(RetriableError, match=reason):
        matched_ids(ids, *events)


@pytest.mark.parametrize(
    ("ids", "events"),
    [
        (["a", "b"], [new_output("x" * 100_000), new_output("a")]),
        (["a", "b"], [new_output("a"), new_output("b"), new_output("a" * 100_000)]),
        (["a", "b" * 100_000], [new_output("a")]),
        (["a" * 100_000, "b"], [new_output("a" * 100_000), new_output("b"), new_output("a" * 100_000)]),
    ],
)
def test_a_reason_is_short_even_if_a_name_is_long(ids, events):
    """The reason goes to the log and, during an outage, to the live page."""
    with pytest.raises(RetriableError) as raised:
        matched_ids(ids, *events)
    assert len(str(raised.value)) < 200


def test_an_empty_causationid_is_absent():
    assert matched_ids("ab", new_output("", id="1"), new_output("", id="2")) == [["1"], ["2"]]
