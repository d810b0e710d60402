"""What a training is told: defaults or those of a version, the flags, and what is found in the series."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fncast.cli.training_progress import say
from fncast.failure import Failure

if TYPE_CHECKING:
    from fncast.series.series import Series
    from model_service.training.settings import TrainingSettings

# The longest window that is chosen unasked: two weeks of half hours.
MAX_FOUND_WINDOW = 700
# What is trained on holds a chosen window so often, laid side by side.
LEAST_WINDOWS = 4
AUTO = "auto"  # for --window


def with_flags(settings: TrainingSettings, arguments: argparse.Namespace, fixed: bool) -> TrainingSettings:
    """The settings with the flags that were given. What shapes the weights is fixed by a version gone on from."""
    shape = {
        name: getattr(arguments, name)
        for name in ("window", "horizon", "units", "cell")
        if getattr(arguments, name) not in (None, AUTO)
    }
    for name, value in shape.items():
        if fixed and getattr(settings, name) != value:
            raise Failure(
                f"--{name} {value} does not fit version {arguments.from_version}, which has"
                f" {getattr(settings, name)}; leave the flag out, or train without --from-version"
            )
    if any(season < 0 for season in arguments.season or ()):
        raise Failure("--season is a number of readings, or 0 for none")
    if fixed and (arguments.season is not None or arguments.window == AUTO):
        flag = "--season" if arguments.season is not None else "--window auto"
        raise Failure(
            f"{flag} does not go with --from-version: the window and the seasons are that version's"
        )
    if not fixed:
        shape["seasons"] = tuple(sorted({season for season in arguments.season or () if season > 1}))
    return replace(
        settings,
        **shape,
        learning_rate=arguments.learning_rate,
        epochs=arguments.epochs,
        seed=arguments.seed,
        test_share=settings.test_share if arguments.test_share is None else arguments.test_share,
    )


def seasons_of(
    arguments: argparse.Namespace, series: Sequence[Series], settings: TrainingSettings
) -> tuple[int, ...]:
    """The given seasons, else those that half of the series have before their test part."""
    from model_service.training.dataset import split
    from model_service.training.season import common_seasons, find_seasons

    if arguments.season is not None:
        return settings.seasons
    before = [split(len(one), settings.test_share, 0.0).validation for one in series]
    found = common_seasons(
        [find_seasons(one.values[:end], one.step) for one, end in zip(series, before, strict=True)]
    )
    if found:
        say(f"season: {' and '.join(map(str, found))} steps")
    else:
        say("no season common to the series; each window is searched for short ones")
    return found


def window_for(series: Sequence[Series], settings: TrainingSettings, asked: str | None) -> int:
    """The window that fits the seasons where it is `asked` for; else it is told of, since events would have to bring
    as many readings.

    Two of the longest season, or one and a short one where readings are few; seven of the only one (a week of days), or
    two; the default where there is no season, or where the readings to train on hold too few such windows."""
    from model_service.training.dataset import split

    if not settings.seasons:
        return settings.window
    train = max(split(len(one), settings.test_share, settings.validation_share).train for one in series)
    shortest, longest = settings.seasons[0], settings.seasons[-1]
    wished = [7 * shortest, 2 * shortest]
    if longest > shortest:
        wished = [2 * longest, longest + shortest, 2 * shortest]
    for window in wished:
        if window <= min(MAX_FOUND_WINDOW, train // LEAST_WINDOWS) and window > settings.window:
            if asked == AUTO:
                say(f"window: {window} readings; as many have to be sent: fncast produce --window {window}")
                return window
            say(
                f"the window of {settings.window} readings is short for these seasons: --window auto takes {window}"
                f" and forecasts better; as many have to be sent then: fncast produce --window {window}"
            )
            break
    return settings.window
