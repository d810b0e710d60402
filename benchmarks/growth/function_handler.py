"""Measures the CPU time of the forecast function per event and step: `python -m benchmarks.growth.function_handler`.

A fake model answers at once, so the figures are those of the function alone. Events of one batch differ in series and
values. They share their start, as series that are read together do. With --starts each event has a different one.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson

sys.path.insert(0, str(Path(__file__).parents[2] / "functions" / "forecast"))

import events
import outputs
from fncast.series import window_data
from fncast.series.window_batch import prepare_batch
from handler import Forecaster
from model import ForecastModel
from model_service.client import InferenceResult
from model_service.protocols.graphpipe import MetadataResponse

WINDOW, HORIZON, QUANTILES = 48, 12, (0.1, 0.5, 0.9)
BATCHES, STEPS_BATCH = (1, 16, 64, 256, 1024), 256
HEADERS: dict[str, str | list[str]] = {"content-type": events.BATCH_TYPE}


class InstantClient:
    """Answers with noise of the real model's shape, without computing."""

    def __init__(self) -> None:
        self._noise = np.random.default_rng(0).normal(size=(max(BATCHES), HORIZON, 3)).astype(np.float32)

    def metadata(self) -> MetadataResponse:
        described = {"window": WINDOW, "quantiles": QUANTILES}
        return MetadataResponse("forecast", "1", "", orjson.dumps(described).decode())

    def infer(self, windows: Any) -> InferenceResult:
        return InferenceResult(self._noise[: len(windows)], "forecast", "1")

    def close(self) -> None:
        """Nothing to close."""


def batch_body(size: int, has_different_starts: bool, rng: random.Random) -> bytes:
    """Return the body of a request with `size` events."""
    start = datetime(2024, 5, 1, tzinfo=UTC) + timedelta(seconds=300 * rng.randrange(100_000))
    batch = []
    for number in range(size):
        level = rng.uniform(10, 90)
        begin = start + timedelta(seconds=number) if has_different_starts else start
        batch.append(
            {
                "specversion": "1.0",
                "id": f"{rng.getrandbits(64):016x}",
                "source": "/machines/host-7",
                "type": "io.fncast.window.v1",
                "subject": f"cpu-{number % 50}",
                "destination": "forecast",
                "time": begin.isoformat().replace("+00:00", "Z"),
                "datacontenttype": "application/json",
                "data": {
                    "start": begin.isoformat().replace("+00:00", "Z"),
                    "step_s": 300,
                    "values": [round(level + rng.gauss(0, 5), 2) for _ in range(WINDOW)],
                    "unit": "%",
                },
            }
        )
    return orjson.dumps(batch)


def us_per_event(work: Callable[[bytes], object], bodies: list[bytes], size: int, seconds: float) -> float:
    """Return the median time of an event in µs. size: events of a body. Repeats all bodies for `seconds`."""
    runs: list[float] = []
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s or len(runs) < 3:
        began_s = time.perf_counter()
        for body in bodies:
            work(body)
        runs.append((time.perf_counter() - began_s) / (len(bodies) * size) * 1e6)
    return statistics.median(runs)


def steps(body: bytes, has_different_starts: bool) -> dict[str, Callable[[bytes], object]]:
    """Return the steps of a call with this body, each with its input ready."""
    request = events.read_request(HEADERS, body)
    readings = [window_data.read_readings(event.data) for event in request.events]
    values = [reading.values for reading in readings]
    windows = prepare_batch(values, WINDOW, are_checked=request.is_plain)
    model = ForecastModel(InstantClient())
    scored = model.forecast(windows.values)

    def read_data() -> None:
        if has_different_starts:
            window_data._following.cache_clear()
        for event in request.events:
            window_data.read_readings(event.data)

    return {
        "read events": lambda body: events.read_request(HEADERS, body),
        "read data": lambda _: read_data(),
        "prepare windows": lambda _: prepare_batch(values, WINDOW, are_checked=request.is_plain),
        "model client": lambda _: model.forecast(windows.values),
        "write outputs": lambda _: outputs.forecasts(request.events, readings, windows.filled, scored),
    }


def print_calls(has_different_starts: bool, seconds: float, rng: random.Random) -> None:
    """Print the time of an event in calls of all sizes."""
    forecaster = Forecaster(ForecastModel(InstantClient()))
    print("µs per event, whole call:")
    for size in BATCHES:
        # With different starts, these are more than the function's cache holds.
        bodies = [batch_body(size, has_different_starts, rng) for _ in range(max(1, 8192 // size))]
        cost_us = us_per_event(lambda body: forecaster.answer(HEADERS, body), bodies, size, seconds)
        answer_bytes = len(forecaster.answer(HEADERS, bodies[0]).body) / size
        print(
            f"  {size:5} a batch  {cost_us:7.1f}   ({len(bodies[0]) / size:.0f} bytes in, {answer_bytes:.0f} out)"
        )


def print_steps(has_different_starts: bool, seconds: float, rng: random.Random) -> None:
    """Print the time of an event in each step of a call."""
    print(f"steps at {STEPS_BATCH} a batch:")
    body = batch_body(STEPS_BATCH, has_different_starts, rng)
    for name, work in steps(body, has_different_starts).items():
        print(f"  {name:16} {us_per_event(work, [body], STEPS_BATCH, seconds):6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    parser.add_argument("--starts", action="store_true", help="give each event a different start")
    arguments = parser.parse_args()
    rng = random.Random(0)
    gc.collect()
    gc.freeze()  # as func.py does
    print_calls(arguments.starts, arguments.seconds, rng)
    print_steps(arguments.starts, arguments.seconds, rng)


if __name__ == "__main__":
    main()
