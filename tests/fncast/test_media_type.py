"""Content types that mean the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.media_type import TENSOR, are_same, is_json, is_tensor


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("application/json", "Application/JSON"),
        ("application/json", "application/json; charset=utf-8"),
        ("application/json ; charset=UTF-8", 'application/json;charset="utf8"'),
        ("a/b+json", "a/b+json;charset=utf-8"),
        ("text/plain; a=1; b=2", "text/plain;b=2;a=1"),
        ('text/plain; a="1"', "text/plain; a=1"),
        ("text/plain;", "text/plain"),
    ],
)
def test_these_are_the_same(first: str, second: str) -> None:
    assert are_same(first, second)
    assert are_same(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("application/json", "text/plain"),
        ("application/json", "application/json; charset=latin-1"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/plain; a=1", "text/plain; a=2"),
        ("application/json", "application/cloudevents+json"),
    ],
)
def test_these_differ(first: str, second: str) -> None:
    assert not are_same(first, second)


@given(st.text(alphabet='ab/;="\\ \té', max_size=60))
def test_any_text_is_compared(text: str) -> None:
    assert are_same(text, f" {text}\t")
    is_json(text)


@pytest.mark.parametrize("content_type", [TENSOR, TENSOR.upper(), f" {TENSOR} ; version=1"])
def test_the_content_type_of_a_tensor_may_have_parameters(content_type: str) -> None:
    assert is_tensor(content_type)


@pytest.mark.parametrize("content_type", [None, "", "application/json", f"x{TENSOR}", 5])
def test_another_content_type_is_not_a_tensor(content_type: object) -> None:
    assert not is_tensor(content_type)
