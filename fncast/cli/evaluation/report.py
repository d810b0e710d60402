"""Prints an evaluation: warnings on stderr, tables or JSON on stdout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fncast.cli.output.messages import SHOWN_SERIES, listed, say
from fncast.series.rfc3339 import format_time
from model_service.training.evaluation.evaluation import Evaluation
from model_service.training.evaluation.report import overall_table, series_tables
from model_service.training.lineage import Lineage


def warn_about_training_data(evaluation: Evaluation, folder: Path) -> None:
    """Print a warning for each series whose test part the model was trained or validated on, or may have been."""
    lineage = Lineage(folder)
    unknown = []
    for each in evaluation.series:
        begin = each.backtest.series.time(int(each.backtest.at[0]))
        until = lineage.until(each.backtest.series)
        if until is None:
            unknown.append(each.name)
        elif begin < until:
            say(
                f"{each.name}: the forecasts begin at {format_time(begin)}, but the model was trained on the readings"
                f" until {format_time(until)}: its real errors are larger"
            )
    if unknown and lineage.unlisted:
        say(
            f"{listed(unknown)}: the real errors may be larger, because model.json lists only some of the series that"
            " the model was trained on"
        )


def warn_about_long_seasons(evaluation: Evaluation, longest_window: int) -> None:
    """Print a warning for the series whose season is longer than the longest window: the model cannot see it."""
    too_long = [
        f"{each.name} ({each.seasons[-1]})"
        for each in evaluation.series
        if each.seasons and each.seasons[-1] > longest_window
    ]
    if too_long:
        say(
            f"the season is longer than the model's window of {longest_window} readings: {listed(too_long)};"
            " train with --window auto for a window that holds it"
        )


def print_evaluation(
    evaluation: Evaluation, described: dict[str, Any], folder: Path, longest_window: int, *, as_json: bool
) -> None:
    """Print the errors by series and overall. described: the content of model.json. folder: of the version.

    longest_window: the most readings that a forecast uses.
    """
    if as_json:
        model = {"name": described.get("name"), "version": described.get("version"), "path": str(folder)}
        print(json.dumps({"model": model, **evaluation.as_json()}))
        return
    for name, why in evaluation.left_out.items():
        say(f"left out: {name}: {why}")
    for method, names in evaluation.incomplete.items():
        say(f"left out: {method}: it failed on {', '.join(names[:SHOWN_SERIES])}")
    longer = f" to {longest_window}" if longest_window > evaluation.window else ""
    print(
        f"{described.get('name')} version {described.get('version')}: {evaluation.origins} forecasts of"
        f" {evaluation.horizon} steps from {evaluation.window}{longer} readings, every {evaluation.stride} steps\n"
    )
    print(series_tables(evaluation) + "\n")
    print("Overall (geometric mean of relative MAE, mean of the others):")
    print(overall_table(evaluation))
