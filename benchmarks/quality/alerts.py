"""How well alerts predict crossings: false openings, and the expected time, on generated series with known crossings.

`python -m benchmarks.quality.alerts [--series N] [--seed N]`. Half of the series never cross their threshold. It is a
tenth of their range above their largest value, also among the readings that the last forecast reaches. The others are
ramps with season and noise that cross it; the last alert that opens before the crossing is judged. The seeds 8000 to
8007 are for tuning.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.lib.arguments import positive_integer
from benchmarks.quality.labelled_series import KINDS, LONGEST_SEASON
from fncast import models as base_models
from fncast.cli.detection.local_model import LocalModel, open_model
from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.series.window import Float64Array

LENGTH = 400
BEGIN = 128  # of the forecasts that are judged
AFTER = 96  # readings of a series without a crossing that come after the last forecast
STEP_S = 300.0


def openings(
    values: Float64Array, model: LocalModel, rule: AlertRule, horizon: int
) -> list[tuple[int, float]]:
    """The openings of the alert: for each, its step, and the step at which it expects the crossing.

    horizon: steps of a forecast to use.
    """
    state, found = AlertState(), []
    for origins, windows in model.windows(values):
        judged = (origins >= BEGIN) & (origins < len(values))
        forecasts = model.quantile_forecasts(windows[judged])
        for at, rows in zip(origins[judged].tolist(), forecasts.tolist(), strict=True):
            crossing = rule.crossing(model.quantiles, rows[:horizon], STEP_S)
            if state.update(rule, crossing, at * STEP_S, STEP_S) == "open":
                assert state.expected_s is not None
                found.append((at, state.expected_s / STEP_S))
    return found


def quiet(rng: np.random.Generator, number: int) -> tuple[Float64Array, float]:
    """A series, and a threshold that it never crosses."""
    values = KINDS[number % len(KINDS)](rng, LENGTH + AFTER, LONGEST_SEASON)
    return values[:LENGTH], float(values.max() + 0.1 * (values.max() - values.min()))


def ramp(rng: np.random.Generator) -> tuple[Float64Array, float, float]:
    """A ramp with season and noise, a threshold, and the step at which the series without noise first crosses it."""
    at = np.arange(LENGTH)
    slope = rng.uniform(0.05, 0.3)
    season = rng.uniform(0, 2) * np.sin(2 * np.pi * at / int(rng.integers(6, 25)))
    smooth = slope * at + season
    crossed = int(rng.integers(BEGIN + 60, LENGTH - 40))
    threshold = float(slope * crossed + 2.1)  # above the season
    first = int(np.argmax(smooth > threshold))
    before, after = smooth[first - 1], smooth[first]
    moment = first - (after - threshold) / (after - before)
    return smooth + rng.normal(size=LENGTH) * rng.uniform(0.05, 0.5), threshold, float(moment)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--series", type=positive_integer, default=200, help="of each sort (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1_000, help="default: %(default)s")
    parser.add_argument(
        "--horizon",
        type=positive_integer,
        default=96,
        help="the most steps of a forecast to use (default: %(default)s)",
    )
    parser.add_argument("--probability", type=float, default=AlertRule("").probability, help="of the rule")
    arguments = parser.parse_args(argv)
    model = open_model(base_models.FOLDER, base_models.BASE)
    false = 0
    for number in range(arguments.series):
        values, threshold = quiet(np.random.default_rng((arguments.seed, number)), number)
        rule = AlertRule("high", above=threshold, probability=arguments.probability)
        false += bool(openings(values, model, rule, arguments.horizon))
    print(f"without a crossing: {false} of {arguments.series} series opened an alert")
    errors, missed, leads = [], 0, []
    for number in range(arguments.series):
        values, threshold, moment = ramp(np.random.default_rng((arguments.seed, 1, number)))
        rule = AlertRule("high", above=threshold, probability=arguments.probability)
        found = openings(values, model, rule, arguments.horizon)
        before = [each for each in found if each[0] <= moment]
        if not before:
            missed += 1
            continue
        at, expected = before[-1]
        leads.append(moment - at)
        errors.append(abs(expected - moment) / max(1.0, moment - at))
    within = np.mean(np.array(errors) <= 0.1) if errors else 0.0
    print(
        f"ramps: {missed} of {arguments.series} not predicted; lead median {np.median(leads):.0f} steps; expected time"
        f" within 10 % of the lead: {within:.2f}, error median {np.median(errors):.2f} of the lead"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
