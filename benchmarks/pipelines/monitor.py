"""Measures the CPU time of a reading in the monitor without Kafka: `python -m benchmarks.pipelines.monitor`.

A reading is two records, a window event and the forecast that follows it. They pass through a chain of `judge` alone.
A loop that only decodes the JSON of the same records gives the limit in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import orjson
from numpy.typing import NDArray

from fncast.monitor.judge import Judge
from fncast.monitor.rules import MonitorRules
from fncast.series.rfc3339 import format_time
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import Headers

START, STEP_S = datetime(2026, 5, 1, tzinfo=UTC), 60
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TOPICS = ("metrics", "forecasts")
BATCH, WINDOW = 512, 48

FloatArray = NDArray[np.float64]


def random_walks(series: int, steps: int, seed: int = 0) -> FloatArray:
    """Readings of each series, (series, WINDOW + steps)."""
    rng = np.random.default_rng(seed)
    return np.round(50 + rng.normal(size=(series, WINDOW + steps)).cumsum(axis=1), 3)


def records(values: FloatArray, steps: range, horizon: int) -> Iterator[Record]:
    """Yield the window and the forecast of each series at each step, in the order of time.

    values: of all steps, with WINDOW readings before them.
    """
    band = np.linspace(-1.2, 1.2, len(LEVELS))[:, None] * np.sqrt(np.arange(1, horizon + 1))
    for step in steps:
        at_ms = int(START.timestamp() * 1000) + step * STEP_S * 1000
        start = format_time(time_of(step - WINDOW + 1))
        following = format_time(time_of(step + 1))
        for number in range(len(values)):
            known = values[number, step + 1 : step + 1 + WINDOW]
            window = {"start": start, "step_s": STEP_S, "values": known.tolist()}
            rows = np.round(known[-1] + band, 3)
            quantiles = {str(level): row for level, row in zip(LEVELS, rows.tolist(), strict=True)}
            median = quantiles["0.5"]
            forecast = {"start": following, "step_s": STEP_S, "values": median, "quantiles": quantiles}
            for topic, type_, data in zip(TOPICS, ("window", "forecast"), (window, forecast), strict=True):
                headers: Headers = [
                    ("ce_specversion", b"1.0"),
                    ("ce_id", f"{type_}-{number}-{step}".encode()),
                    ("ce_source", b"benchmark"),
                    ("ce_type", f"io.fncast.{type_}.v1".encode()),
                    ("ce_subject", series_name(number).encode()),
                    ("ce_modelname", b"base"),
                    ("ce_modelversion", b"1"),
                    ("content-type", b"application/json"),
                ]
                offset = step * len(values) + number
                yield Record(topic, 0, offset, at_ms, None, orjson.dumps(data), headers)


def time_of(step: int) -> datetime:
    """Return the time of the newest reading of a step's windows."""
    return START + timedelta(seconds=STEP_S * step)


def series_name(number: int) -> str:
    return f"web-{number}.cpu"


def deliveries(history: list[Record]) -> list[list[Delivery]]:
    """Return a delivery for each record, in batches of BATCH."""
    return [
        [Delivery(record) for record in history[first : first + BATCH]]
        for first in range(0, len(history), BATCH)
    ]


async def run(batches: list[list[Delivery]]) -> tuple[float, int, Judge]:
    """Pass the batches through the chain. Returns CPU seconds, the bytes of state that were written, and the judge."""
    judge = Judge(MonitorRules(), TOPICS)
    chain = Chain([judge])
    began_s = time.process_time()
    written = 0
    for batch in batches:
        await chain.on_consume(Batch(batch))
        for delivery in batch:
            written += sum(len(record.key) + len(record.value or b"") for record in delivery.state)
            delivery.state = []
    return time.process_time() - began_s, written, judge


def decoding_s(history: list[Record]) -> float:
    """Return the CPU seconds of a loop that decodes the JSON of all records."""
    began_s = time.process_time()
    for record in history:
        orjson.loads(record.value or b"")
    return time.process_time() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", metavar="FILE", help="write a profile of one round instead")
    arguments = parser.parse_args()
    values = random_walks(arguments.series, arguments.steps)
    history = list(records(values, range(arguments.steps), arguments.horizon))
    readings = len(history) // 2
    if arguments.profile:
        profile, batches = cProfile.Profile(), deliveries(history)
        profile.enable()
        asyncio.run(run(batches))
        profile.disable()
        profile.dump_stats(arguments.profile)
        return
    for _ in range(arguments.rounds):
        gc.collect()
        plain_s = decoding_s(history)
        spent_s, written, judge = asyncio.run(run(deliveries(history)))
        print(
            f"{readings / spent_s:,.0f} readings a CPU second, {spent_s / plain_s:.1f} times the plain decoding;"
            f" {written / readings:,.0f} bytes of state written a reading"
        )
    states = [
        msgspec.msgpack.encode(series.state())
        for each in judge.partitions.values()
        for series in each.monitor.series.values()
    ]
    del judge
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    batches = deliveries(history)
    judged = asyncio.run(run(batches))  # holds the judge, whose memory is measured
    for batch in batches:
        batch.clear()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    del judged
    print(
        f"state of a series: {np.mean(list(map(len, states))):,.0f} bytes written;"
        f" {(after - before) / arguments.series:,.0f} bytes of memory"
    )


if __name__ == "__main__":
    main()
