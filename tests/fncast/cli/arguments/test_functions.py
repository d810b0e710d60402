"""Arguments of commands for functions."""

from __future__ import annotations

import argparse

import pytest

from fncast.cli.arguments.functions import app_argument, pair_argument


@pytest.mark.parametrize(
    ("text", "pair"),
    [("A=b", ("A", "b")), ("URL=http://x/?a=b", ("URL", "http://x/?a=b")), ("A=", ("A", ""))],
)
def test_a_pair_ends_its_key_at_the_first_equals_sign(text: str, pair: tuple[str, str]) -> None:
    assert pair_argument(text) == pair


@pytest.mark.parametrize("text", ["A", "=b", ""])
def test_a_pair_without_key_or_equals_sign_is_wrong_usage(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"must be KEY=VALUE, not '{text}'"):
        pair_argument(text)


def test_the_name_of_an_app_is_checked_as_fn_does() -> None:
    assert app_argument("prod-1") == "prod-1"
    for text in ("", "a/b", "a b", "x" * 300):
        with pytest.raises(argparse.ArgumentTypeError):
            app_argument(text)
