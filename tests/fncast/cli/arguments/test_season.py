"""The flag for the lengths of seasons."""

from __future__ import annotations

import argparse

import pytest

from fncast.cli.arguments.season import add_season_argument, given_seasons
from fncast.failure import Failure


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_season_argument(parser, default="found in each series")
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "seasons"),
    [
        ((), None),
        (("--season", "0"), ()),
        (("--season", "168", "--season", "24", "--season", "24"), (24, 168)),
    ],
)
def test_seasons_are_ascending_and_different(words: tuple[str, ...], seasons: tuple[int, ...] | None) -> None:
    assert given_seasons(parsed(*words)) == seasons


def test_a_negative_season_is_a_failure() -> None:
    with pytest.raises(Failure, match="--season must be a number of readings"):
        given_seasons(parsed("--season", "-1"))
