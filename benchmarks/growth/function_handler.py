"""Measures the CPU time of the forecast function per event and step: `python -m benchmarks.growth.function_handler`.

A fake model answers at once, so the figures hold the function alone. Events of one batch differ in series and values.
They share their start, as series that are read together do; with `--starts` each event has a different one.
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
BATCHES = (1, 16, 64, 256, 1024)
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
    events = []
    for number in range(size):
        level = rng.uniform(10, 90)
        begin = start + timedelta(seconds=number) if has_different_starts else start
        events.append(
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
    return orjson.dumps(events)


def us_per_event(work: Callable[[bytes], object], bodies: list[bytes], size: int, seconds: float) -> float:
    """Return the median time of an event in µs. A run processes all bodies."""
    runs: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(runs) < 3:
        began = time.perf_counter()
        for body in bodies:
            work(body)
        runs.append((time.perf_counter() - began) / (len(bodies) * size) * 1e6)
    return statistics.median(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="per figure")
    parser.add_argument("--starts", action="store_true", help="give each event a different start")
    arguments = parser.parse_args()
    rng = random.Random(0)
    forecaster = Forecaster(ForecastModel(InstantClient()))
    gc.collect()
    gc.freeze()  # as func.py does

    def read_data(batch: list[events.InputEvent]) -> None:
        if arguments.starts:
            window_data._following.cache_clear()
        for event in batch:
            window_data.read_readings(event.data)

    def parts(body: bytes) -> dict[str, Callable[[bytes], object]]:
        """The steps of one call, each with its input ready."""
        request = events.read_request(HEADERS, body)
        readings = [window_data.read_readings(event.data) for event in request.events]
        values = [reading.values for reading in readings]
        windows = prepare_batch(values, WINDOW, are_checked=request.is_plain)
        model = ForecastModel(InstantClient())
        scored = model.forecast(windows.values)
        return {
            "read events": lambda body: events.read_request(HEADERS, body),
            "read data": lambda _: read_data(request.events),
            "prepare windows": lambda _: prepare_batch(values, WINDOW, are_checked=request.is_plain),
            "shift and shape": lambda _: model.forecast(windows.values),
            "write outputs": lambda _: outputs.forecasts(request.events, readings, windows.filled, scored),
        }

    print("µs per event, whole call:")
    for size in BATCHES:
        # With --starts: more starts than the function's cache holds.
        bodies = [batch_body(size, arguments.starts, rng) for _ in range(max(1, 8192 // size))]
        cost = us_per_event(lambda body: forecaster.answer(HEADERS, body), bodies, size, arguments.seconds)
        answer = len(forecaster.answer(HEADERS, bodies[0]).body) / size
        print(f"  {size:5} a batch  {cost:7.1f}   ({len(bodies[0]) / size:.0f} bytes in, {answer:.0f} out)")
    print("steps at 256 a batch:")
    body = batch_body(256, arguments.starts, rng)
    for name, work in parts(body).items():
        print(f"  {name:16} {us_per_event(work, [body], 256, arguments.seconds):6.2f}")


if __name__ == "__main__":
    main()
