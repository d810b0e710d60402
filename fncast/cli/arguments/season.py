"""The flag `--season`: the lengths of the seasons of the series."""

from __future__ import annotations

import argparse

from fncast.failure import Failure


def add_season_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--season`. default: where the seasons come from without the flag."""
    parser.add_argument(
        "--season",
        type=int,
        action="append",
        metavar="READINGS",
        help=f"length of a season in readings; may be repeated; 0: none (default: {default})",
    )


def given_seasons(arguments: argparse.Namespace) -> tuple[int, ...] | None:
    """The lengths that `--season` names, in steps, ascending; None without the flag. Raises Failure."""
    if arguments.season is None:
        return None
    if any(season < 0 for season in arguments.season):
        raise Failure("--season must be a number of readings, or 0 for none")
    return tuple(sorted({season for season in arguments.season if season > 1}))
