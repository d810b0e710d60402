"""The series that a model is trained on: those of files, or generated ones; and the settings that fit them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fncast.cli.arguments.series_files import report_filled_gaps
from fncast.cli.output.messages import say
from fncast.cli.training.settings import AUTO, chosen_window, seasons_of, with_flags
from fncast.cli.training.start import Start
from fncast.series.time_series import TimeSeries
from fncast.series.window import Float64Array
from model_service.training.curriculum import companions
from model_service.training.generated.generator import generate, generated_size, longest_season
from model_service.training.settings import TrainingSettings


@dataclass(frozen=True)
class TrainingData:
    """source: where the series come from, for model.json. companions: generated series to train on as well."""

    series: Sequence[TimeSeries]
    settings: TrainingSettings
    source: dict[str, Any]
    companions: Sequence[Float64Array] = ()

    @property
    def is_generated(self) -> bool:
        """Whether the series are generated, not read from files."""
        return "generated" in self.source


def training_data(arguments: argparse.Namespace, series: list[TimeSeries], start: Start) -> TrainingData:
    """Choose the settings for the series; generate series if there are none. Raises InvalidSettings."""
    is_new = start.settings is None
    settings = with_flags(start.settings or TrainingSettings(), arguments, is_fixed=not is_new)
    data = _of_files(arguments, series, settings, is_new) if series else _generated(settings)
    if not is_new:
        data.source["from_version"] = arguments.from_version
    return data


def _of_files(
    arguments: argparse.Namespace, series: list[TimeSeries], settings: TrainingSettings, is_new: bool
) -> TrainingData:
    """The data of files.

    is_new: choose the seasons, the window and the companions; otherwise keep those of the version to start from.
    """
    source: dict[str, Any] = {"files": [path.name for path in arguments.csv]}
    generated: list[Float64Array] = []
    if is_new:
        settings = replace(settings, seasons=seasons_of(arguments, series, settings))
        if arguments.window in (None, AUTO):
            settings = replace(settings, window=chosen_window(series, settings, arguments.window))
        generated = companions(settings)
        source["generated_beside"] = len(generated)
    report_filled_gaps(series, settings.window)
    return TrainingData(series, settings, source, generated)


def _generated(settings: TrainingSettings) -> TrainingData:
    """Generated series, the same for the same settings."""
    count, length = generated_size(settings.window, settings.horizon)
    longest = longest_season(settings.window)
    series = generate(count, length, longest, settings.seed)
    say(f"no CSV given: training on {count} generated series of {length} readings")
    source = {"generated": {"count": count, "length": length, "longest_season": longest}}
    return TrainingData(series, settings, source)
