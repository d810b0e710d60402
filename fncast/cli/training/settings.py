"""The settings of a training: defaults or those of a version, the flags, and seasons found in the series."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fncast.cli.arguments.season import given_seasons
from fncast.cli.output.messages import say
from fncast.failure import Failure

if TYPE_CHECKING:
    from fncast.series.time_series import TimeSeries
    from model_service.training.settings import TrainingSettings

# The longest window that `--window auto` chooses: two weeks of half hours.
MAX_FOUND_WINDOW = 700
# The training part of a series must be at least this many times as long as a chosen window.
MIN_WINDOWS = 4
AUTO = "auto"  # for --window


def with_flags(settings: TrainingSettings, arguments: argparse.Namespace, is_fixed: bool) -> TrainingSettings:
    """The settings with the given flags applied. Raises Failure.

    is_fixed: training starts from a version, so flags must not change the shape of the weights.
    """
    shape = {
        name: getattr(arguments, name)
        for name in ("window", "horizon", "units", "cell")
        if getattr(arguments, name) not in (None, AUTO)
    }
    for name, value in shape.items():
        if is_fixed and getattr(settings, name) != value:
            raise Failure(
                f"--{name} {value} does not fit version {arguments.from_version}, which has"
                f" {getattr(settings, name)}; leave the flag out, or train without --from-version"
            )
    seasons = given_seasons(arguments)
    if is_fixed and (seasons is not None or arguments.window == AUTO):
        flag = "--season" if seasons is not None else "--window auto"
        raise Failure(
            f"{flag} cannot be combined with --from-version, which fixes the window and the seasons; leave it out"
        )
    if not is_fixed:
        shape["seasons"] = seasons or ()
    return replace(
        settings,
        **shape,
        learning_rate=arguments.learning_rate,
        epochs=arguments.epochs,
        seed=arguments.seed,
        test_share=settings.test_share if arguments.test_share is None else arguments.test_share,
    )


def seasons_of(
    arguments: argparse.Namespace, series: Sequence[TimeSeries], settings: TrainingSettings
) -> tuple[int, ...]:
    """The seasons of --season, in steps; else those that at least half of the series have before their test part."""
    from model_service.training.dataset import split
    from model_service.training.season import common_seasons, find_seasons

    if arguments.season is not None:
        return settings.seasons
    before = [split(len(each), settings.test_share, 0.0).validation for each in series]
    found = common_seasons(
        [find_seasons(each.values[:end], each.step) for each, end in zip(series, before, strict=True)]
    )
    _report_missing_for_week(series, before, settings)
    if found:
        say(f"season: {' and '.join(map(str, found))} steps")
    else:
        say("the series have no common season; each window is searched for short seasons")
    return found


def _report_missing_for_week(
    series: Sequence[TimeSeries], before: Sequence[int], settings: TrainingSettings
) -> None:
    """Print how many readings are missing for a search for weekly seasons, and what would help.

    before: by series, how many readings come before its test part.
    """
    from model_service.training.season import missing_for_week

    if not series:
        return
    missing = min(missing_for_week(end, each.step) for each, end in zip(series, before, strict=True))
    if missing == 0:
        return
    missing_without_test = min(missing_for_week(len(each), each.step) for each in series)
    advice = ""
    if settings.test_share > 0 and missing_without_test == 0:
        advice = " --test-share 0 gives enough, without an evaluation."
    elif settings.test_share > 0 and missing_without_test < missing:
        advice = " --test-share 0 gives more."
    say(
        f"too few readings to look for a weekly season before the test part; readings to add: {missing}.{advice}"
    )


def chosen_window(series: Sequence[TimeSeries], settings: TrainingSettings, flag: str | None) -> int:
    """The window for these seasons, in readings. flag: AUTO to choose one; None keeps the default and prints advice.

    With several seasons: two of the longest, or else the longest and the shortest together. With one season: seven of
    it, such as a week of days, or else two. The default if there is no season, or if the series are too short.
    """
    from model_service.training.dataset import split

    if not settings.seasons:
        if flag == AUTO:
            say(f"window: {settings.window} readings, because no season was found")
        return settings.window
    train = max(split(len(each), settings.test_share, settings.validation_share).train for each in series)
    shortest, longest = settings.seasons[0], settings.seasons[-1]
    candidates = [7 * shortest, 2 * shortest]
    if longest > shortest:
        candidates = [2 * longest, longest + shortest, 2 * shortest]
    for window in candidates:
        if window <= min(MAX_FOUND_WINDOW, train // MIN_WINDOWS) and window > settings.window:
            if flag == AUTO:
                say(f"window: {window} readings; events need as many: fncast produce --window {window}")
                return window
            say(
                f"the window of {settings.window} readings is short for these seasons: --window auto chooses {window}"
                f" and forecasts better; events need as many readings then: fncast produce --window {window}"
            )
            return settings.window
    if flag == AUTO:
        longer = [window for window in candidates if settings.window < window <= MAX_FOUND_WINDOW]
        lacks = ""
        if longer:
            needed = MIN_WINDOWS * min(longer)
            lacks = f"; a window of {min(longer)} needs {needed} for training, and there are {train}"
            if max(split(len(each), 0, settings.validation_share).train for each in series) >= needed:
                lacks += ". --test-share 0 gives enough, without an evaluation."
        say(f"window: {settings.window} readings{lacks}")
    return settings.window
