"""Measures the CPU time of a reading without Kafka: decode and assemble. `python -m benchmarks.growth.assembly`.

Telegraf records with two fields pass through a chain of `assemble` alone, in batches of 512. Memory is that of all
windows, without the names of the series and the keys of the format.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import time
import tracemalloc

import orjson

from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.builtin.assemble import Assemble, ReadingInput
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery, Record
from interceptor.readings.formats import build_format

TOPIC, WINDOW, MIN_READINGS, BATCH = "telegraf", 48, 24, 512
START_S, STEP_S = 1_767_225_600, 10


def records(series: int, steps: int) -> list[Record]:
    """Return `steps` readings of each series, in the order of their times. A record holds two series."""
    created: list[Record] = []
    for step in range(steps):
        at_s = START_S + step * STEP_S
        for host in range(series // 2):
            value = {
                "fields": {"usage_idle": 98.25 - step % 7, "usage_user": 1.5 + step % 5},
                "name": "cpu",
                "tags": {"cpu": "cpu-total", "host": f"web-{host}"},
                "timestamp": at_s,
            }
            created.append(Record(TOPIC, 0, len(created), at_s * 1000, None, orjson.dumps(value), []))
    return created


async def run(history: list[Record], every: int) -> tuple[float, int]:
    """Return CPU seconds and the number of completed windows."""
    rules = Rules(window=WINDOW, minimum=MIN_READINGS, every=every)
    assemble = Assemble({TOPIC: ReadingInput(build_format("telegraf-json", {}), rules)})
    chain = Chain([assemble], reading_topics=[TOPIC])
    windows = 0
    began_s = time.process_time()
    for first in range(0, len(history), BATCH):
        batch = Batch([Delivery(record) for record in history[first : first + BATCH]])
        await chain.on_consume(batch)
        windows += sum(len(delivery.windows) for delivery in batch.deliveries if delivery.windows)
    return time.process_time() - began_s, windows


def memory_bytes(series: int) -> float:
    """Return the memory of a full window of one series, without its name and key."""
    format_ = build_format("telegraf-json", {})
    history = [format_.decode(each.value or b"", None, [], 0) for each in records(series, WINDOW + 1)]
    windows = PartitionWindows(format_, Rules(window=WINDOW), TOPIC)
    first = {key: format_.series(key) for decoded in history[: series // 2] for key in decoded.keys}
    names = sum(sys.getsizeof(found.name) for found in first.values() if found is not None)
    gc.collect()
    tracemalloc.start()
    for offset, decoded in enumerate(history):
        windows.add(decoded, 0, offset)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (used - names) / series


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=60, help="readings of each series")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    history = records(arguments.series, arguments.steps)
    readings = 2 * len(history)
    for every in (60, 1):
        runs = [asyncio.run(run(history, every)) for _ in range(arguments.rounds)]
        median_us = statistics.median(cpu_s for cpu_s, _ in runs) / readings * 1e6
        spread = ", ".join(f"{cpu_s / readings * 1e6:.2f}" for cpu_s, _ in runs)
        print(
            f"every {every}: {median_us:.2f} us CPU a reading ({spread}); {readings} readings, {runs[0][1]} windows"
        )
    print(f"memory: {memory_bytes(arguments.series):.0f} bytes a series beside its name")


if __name__ == "__main__":
    main()
