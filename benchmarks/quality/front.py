"""Measures accuracy against time: both sizes of the base model, a trained network, classical methods, and fracast.

Accuracy: the pinball loss on kinds of series that no model was trained on, relative to the seasonal naive method's.
Time: CPU of one core for a window in calls of 512 windows, the least of some rounds; it needs an idle machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.lib import charts, machine, pages, report
from benchmarks.lib.arguments import positive_integer
from benchmarks.lib.environment import NoEnvironment, python_of
from benchmarks.lib.exit_code import run_to_exit_code
from benchmarks.quality import unseen
from benchmarks.quality.base_tables import HORIZON
from benchmarks.quality.methods import (
    Method,
    base_method,
    classical,
    geometric_mean,
    last_value,
    pinball,
    seasonal_naive,
)
from fncast.cli.detection.local_model import open_model
from fncast.cli.main import main as fncast
from fncast.failure import Failure
from fncast.series.window import Float64Array, bridge
from model_service.training.base.shape import QUANTILES

PROGRAM = "quality_front"
SEED = 20_261_130
SHORT, LONG = 64, 512
BATCH = 512
NAIVE = "seasonal naive"
TRAINED = "forecast"  # of the trained model
FRACAST = Path(__file__).parents[1] / "peers" / "fracast_forecasts.py"
PEER_S = 1_800.0  # enough on a busy machine
BATCH_OF_FITTED = 3  # windows in the timing of methods that are fitted to each window
COLUMNS = ("method", "readings", "loss relative to seasonal naive", "CPU a window, µs")


@dataclass(frozen=True)
class Point:
    """One method. loss: relative to the seasonal naive method's. us: CPU time of a window, in µs."""

    method: str
    readings: int
    loss: float
    us: float


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    return run_to_exit_code(PROGRAM, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    """Measure, print and write the result. Returns the exit code. Raises Failure."""
    windows, actual = data(arguments.series)
    points = measure(arguments, windows, Losses(windows, actual))
    folder = report.chart_folder(arguments.print_only)
    places = {f"{point.method} ({point.readings})": (point.us, point.loss) for point in points}
    chart = charts.front(folder, "quality-front", places, COLUMNS[3], COLUMNS[2], ours="fncast")
    table = report.Table("front", COLUMNS, [(p.method, str(p.readings), p.loss, p.us) for p in points])
    if arguments.print_only:
        print(report.markdown([table]))
        return 0
    setup = (
        f"{len(unseen.KINDS)} kinds × {arguments.series} series, {HORIZON} steps, calls of {BATCH} windows"
    )
    report.save(PROGRAM, machine.facts(setup), [table, chart])
    pages.generate()
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {PROGRAM}", description=__doc__)
    parser.add_argument(
        "--series", type=positive_integer, default=20, help="of each kind (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=positive_integer, default=5, help="of each timing (default: %(default)s)"
    )
    parser.add_argument("--print-only", action="store_true", help="do not write results and pages")
    parser.add_argument(
        "--trained",
        type=Path,
        metavar="DIR",
        help="folder of models with forecast/ (default: train one, which takes minutes)",
    )
    parser.add_argument("--no-classical", action="store_true", help="leave out AutoETS and Theta")
    parser.add_argument(
        "--no-fracast", action="store_true", help="leave out fracast, which installs torch (5 GB)"
    )
    return parser.parse_args(argv)


class Losses:
    """Losses of forecasts, relative to those of the seasonal naive method."""

    def __init__(self, windows: Float64Array, actual: Float64Array) -> None:
        self._actual = actual
        self._naive = by_kind(seasonal_naive(windows, HORIZON), actual)

    def of(self, forecast: Float64Array) -> float:
        """The geometric mean over the kinds of series."""
        losses = by_kind(forecast, self._actual)
        return geometric_mean([a / b for a, b in zip(losses, self._naive, strict=True)])


def measure(arguments: argparse.Namespace, windows: Float64Array, losses: Losses) -> list[Point]:
    """All methods, one after the other. Raises Failure."""
    points = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, readings, method, batch in methods(arguments, folder):
            cut = windows[:, -readings:]
            us = cpu_us(method, cut, batch, arguments.rounds)
            points.append(print_point(Point(name, readings, losses.of(method(cut, HORIZON)), us)))
        for readings in () if arguments.no_fracast else (SHORT, LONG):
            try:
                forecast, us = fracast(windows[:, -readings:], arguments.rounds, folder)
            except NoEnvironment as error:
                print(f"fracast is left out: {error}", file=sys.stderr)
                break
            points.append(print_point(Point("fracast 0.1.0", readings, losses.of(forecast), us)))
    return points


def methods(arguments: argparse.Namespace, scratch: Path) -> list[tuple[str, int, Method, int]]:
    """Name, readings of a window, method, and windows of a call in the timing. Raises Failure.

    scratch: folder for the model that is trained if --trained is missing.
    """
    found: list[tuple[str, int, Method, int]] = [
        ("last value", SHORT, last_value, BATCH),
        (NAIVE, SHORT, seasonal_naive, BATCH),
        ("fncast, base model, short", SHORT, base_method(), BATCH),
        ("fncast, base model, long", LONG, base_method(), BATCH),
        ("fncast, trained on generated series", *trained_method(arguments.trained or scratch), BATCH),
    ]
    if not arguments.no_classical:
        found += [(name, SHORT, classical(name), BATCH_OF_FITTED) for name in ("AutoETS", "Theta")]
    return found


def print_point(point: Point) -> Point:
    """Print the point. Returns it."""
    line = f"{point.method}, {point.readings} readings: {point.loss:.3f}, {point.us:.1f} µs"
    print(line, file=sys.stderr, flush=True)
    return point


def data(series: int) -> tuple[Float64Array, Float64Array]:
    """Windows of all kinds, (kinds × series, LONG), and the readings that follow, (kinds × series, HORIZON)."""
    rng = np.random.default_rng(SEED)
    length = LONG + HORIZON
    every = np.stack([kind(rng, 200 + length)[200:] for kind in unseen.KINDS for _ in range(series)])
    return every[:, :LONG], every[:, LONG:]


def by_kind(forecast: Float64Array, actual: Float64Array) -> list[float]:
    """The pinball loss of each kind. The rows of both arrays are ordered by kind, equally many of each."""
    kinds = len(unseen.KINDS)
    pairs = zip(np.split(forecast, kinds), np.split(actual, kinds), strict=True)
    return [pinball(forecast, truth) for forecast, truth in pairs]


def cpu_us(method: Method, windows: Float64Array, batch: int, rounds: int) -> float:
    """The least CPU time of a window, in µs, over `rounds` calls with `batch` windows."""
    chosen = np.resize(windows, (batch, windows.shape[1]))
    method(chosen[:1], HORIZON)  # compiles and plans
    method(chosen, HORIZON)
    times = []
    for _ in range(rounds):
        started_s = time.process_time()
        method(chosen, HORIZON)
        times.append(time.process_time() - started_s)
    return min(times) / batch * 1e6


def trained_method(models: Path) -> tuple[int, Method]:
    """The window and the forecasts of a network of `fncast train`. Its three quantiles are interpolated to nine.

    models: a folder with forecast/<version>/; a network is trained into it if there is none. Raises Failure.
    """
    if not (models / TRAINED).is_dir() and fncast(["train", "--models", str(models)]) != 0:
        raise Failure("training failed")
    model = open_model(models, TRAINED)

    def forecast(windows: Float64Array, horizon: int) -> Float64Array:
        prepared = windows[:, -model.window :]
        if np.isnan(prepared).any():
            prepared = np.stack([bridge(window)[0] for window in prepared])
        return interpolated(model.quantile_forecasts(prepared)[:, :horizon], model.quantiles)

    return model.window, forecast


def interpolated(forecast: Float64Array, levels: Sequence[float]) -> Float64Array:
    """Forecasts of ascending levels, (…, levels), interpolated to QUANTILES: (…, quantiles)."""
    at = np.array(levels)
    parts = np.stack([np.interp(QUANTILES, at, row) for row in np.eye(len(at))])
    return np.asarray(forecast @ parts)


def fracast(windows: Float64Array, rounds: int, folder: Path) -> tuple[Float64Array, float]:
    """The forecasts of fracast in its environment, and the CPU time of a window. Raises NoEnvironment."""
    given, result = folder / "given.npz", folder / "result.npz"
    batch = np.resize(windows, (BATCH, windows.shape[1]))
    np.savez(given, windows=windows, batch=batch, horizon=HORIZON, rounds=min(rounds, 2))
    command = [str(python_of("fracast")), str(FRACAST), str(given), str(result)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PEER_S)
    except subprocess.TimeoutExpired:
        raise NoEnvironment(f"its program did not end within {PEER_S:g} s") from None
    except subprocess.CalledProcessError as error:
        raise NoEnvironment(f"its program fails: {error.stderr.strip()[-500:]}") from None
    found = np.load(result)
    return found["forecast"].astype(np.float64), float(found["us"])


if __name__ == "__main__":
    sys.exit(main())
