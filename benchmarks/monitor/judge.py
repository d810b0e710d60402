"""Measures the CPU time of a reading in the monitor without Kafka: `python -m benchmarks.monitor.judge`.

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

import msgspec
import numpy as np
import orjson

from benchmarks.monitor.events import TOPICS, random_walks, records
from fncast.monitor.judge import Judge
from fncast.monitor.rules import MonitorRules
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery, Record

BATCH = 512


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


def state_bytes(judge: Judge) -> float:
    """Return the mean size of a series' state as it is written, in bytes."""
    states = [
        msgspec.msgpack.encode(series.state())
        for partition in judge.partitions.values()
        for series in partition.monitor.series.values()
    ]
    return float(np.mean([len(state) for state in states]))


def memory_bytes(history: list[Record], series: int) -> float:
    """Return the memory of a series in a judge that has read the records, in bytes."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    batches = deliveries(history)
    judged = asyncio.run(run(batches))  # holds the judge, whose memory is measured
    for batch in batches:
        batch.clear()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del judged
    return (after - before) / series


def write_profile(history: list[Record], file: str) -> None:
    """Write a profile of one round."""
    profile, batches = cProfile.Profile(), deliveries(history)
    profile.enable()
    asyncio.run(run(batches))
    profile.disable()
    profile.dump_stats(file)


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
    if arguments.profile:
        write_profile(history, arguments.profile)
        return
    readings = len(history) // 2
    for _ in range(arguments.rounds):
        gc.collect()
        plain_s = decoding_s(history)
        spent_s, written, judge = asyncio.run(run(deliveries(history)))
        print(
            f"{readings / spent_s:,.0f} readings a CPU second, {spent_s / plain_s:.1f} times the plain decoding;"
            f" {written / readings:,.0f} bytes of state written a reading"
        )
    written_bytes = state_bytes(judge)
    del judge
    print(
        f"state of a series: {written_bytes:,.0f} bytes written;"
        f" {memory_bytes(history, arguments.series):,.0f} bytes of memory"
    )


if __name__ == "__main__":
    main()
