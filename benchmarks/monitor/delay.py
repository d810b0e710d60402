"""Measures the time from the sending of an unusual reading until a read-committed reader has its anomaly."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson
from confluent_kafka import Message

from benchmarks.delay.reader import ArrivalTimes
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.load import publish_to_topics
from benchmarks.lib.meter import Meter, header
from benchmarks.lib.programs import program
from benchmarks.lib.testbed import Testbed
from benchmarks.monitor.load import MonitorLoad, Outlier, create_topics
from benchmarks.monitor.program import MONITOR, FncastMonitor
from benchmarks.readings.progress import wait_until_committed
from fncast.monitor.output import ANOMALY

RATES = (100, 1_000)  # readings a second: a rate that a busy machine keeps up with, and the rate of the goal
SERIES = 250
MIN_HISTORY = 50  # readings of a series before its first anomaly
HISTORY_STEPS = 60  # before the live readings
SKIPPED_S = 3.0  # of live readings before the first outlier
PATIENCE_S = 180.0

Moment = tuple[str, str]  # series, and time of the unusual reading


@dataclass(frozen=True)
class Delays:
    """The delays of one run.

    delays_s: of the outliers that were found, ascending. outliers: all that were sent. other_anomalies: those that
    opened at other readings. cpu_us: of the monitor for a live reading.
    """

    delays_s: list[float]
    outliers: int
    other_anomalies: int
    cpu_us: float


async def measure(testbed: Testbed, rate: int, seconds: float, series: int = SERIES) -> Delays:
    """Send `rate` live readings a second for `seconds` after a history. Raises ProcessFailed."""
    windows, forecasts, accuracy = await create_topics(testbed)
    servers = testbed.broker.bootstrap_servers
    live = range(HISTORY_STEPS, HISTORY_STEPS + max(2, round(seconds * rate / series)))
    load = MonitorLoad(series, live.stop, (windows, forecasts))
    load.add_outliers(live.start + min(len(live) // 2, round(SKIPPED_S * rate / series)), live.stop)
    await asyncio.to_thread(publish_to_topics, servers, load.records(range(HISTORY_STEPS)))
    records = list(load.records(live))  # creating them takes longer than their pace allows
    async with testbed.run(FncastMonitor(forecasts, accuracy, MIN_HISTORY), windows) as run:
        await run.start_consumers()
        group, processes = run.topics.group, run.processes
        await wait_until_committed(
            servers, group, windows, HISTORY_STEPS * series, processes.check, PATIENCE_S
        )
        file = testbed.folder / f"{group}.seen"
        words = ("-m", "benchmarks.delay.reader", servers, run.topics.output, PARTITIONS, file)

        async def is_reading() -> bool:
            return await asyncio.to_thread(file.exists)

        await processes.start(program("reader", sys.executable, *words, ready=is_reading))
        before_s = processes.cpu_s()[MONITOR]
        await asyncio.to_thread(publish_to_topics, servers, records, 2.0 * rate)
        await wait_until_committed(servers, group, windows, live.stop * series, processes.check, PATIENCE_S)
        cpu_us = (processes.cpu_s()[MONITOR] - before_s) * 1e6 / (len(live) * series)
        messages = await asyncio.to_thread(lambda: list(run.meter.read(len(load.outliers))))
        await processes.end()
        seen_s = opening_times_s(messages, ArrivalTimes(file))
    sent_s = await asyncio.to_thread(sending_times_s, servers, windows, load.outliers, live.stop * series)
    await testbed.delete_topics(windows, forecasts, accuracy)
    delays_s = [
        seen_s[moment] - at_s for outlier, at_s in sent_s.items() if (moment := _moment(outlier)) in seen_s
    ]
    return Delays(sorted(delays_s), len(load.outliers), len(seen_s) - len(delays_s), cpu_us)


def opening_times_s(messages: Iterable[Message], arrivals: ArrivalTimes) -> dict[Moment, float]:
    """Return when the reader got the event of each anomaly that opened, in seconds since 1970."""
    found = {}
    for message in messages:
        if header(message, "ce_type") != ANOMALY:
            continue
        anomaly = orjson.loads(message.value() or b"")
        if anomaly["state"] == "open":
            moment = (header(message, "ce_subject"), anomaly["start"])
            found[moment] = arrivals.at(message.partition() or 0, message.offset() or 0)
    return found


def sending_times_s(
    servers: str, topic: str, outliers: Iterable[Outlier], readings: int
) -> Mapping[Outlier, float]:
    """Return when the reading of each outlier was sent, by the producer's clock, in seconds since 1970.

    readings: the number of records on the topic.
    """
    by_id = {outlier.reading_id: outlier for outlier in outliers}
    meter = Meter(servers, topic, PARTITIONS)
    try:
        return {
            by_id[id_]: message.timestamp()[1] / 1000
            for message in meter.read(readings)
            if (id_ := header(message, "ce_id")) in by_id
        }
    finally:
        meter.close()


def _moment(outlier: Outlier) -> Moment:
    return outlier.series, outlier.time
