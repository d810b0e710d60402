"""The judge's state through kills: copies of series, and the entries after them."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest

from fncast.monitor import journal
from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.judge import Judge
from fncast.monitor.partition import READING, MonitorPartition
from fncast.monitor.rules import MonitorRules
from fncast.series.rfc3339 import format_time
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery, Record, StateRecord
from interceptor.errors import StateError
from interceptor.outcome import Forecast, Headers

START, STEP_S, STEPS, SERIES, HORIZON = datetime(2026, 5, 1, tzinfo=UTC), 300, 90, 3, 3
TOPICS = ("metrics", "forecasts")
RULES = MonitorRules(DetectorSettings(min_history=20), (AlertRule("hot", above=51.5),), silent_steps=3)
Stored = dict[str, dict[bytes, StateRecord]]


def record(topic: str, type_: str, series: int, step: int, data: dict[str, Any]) -> Record:
    names = {"specversion": "1.0", "id": f"{series}-{step}", "source": "test", "subject": f"cpu-{series}"}
    named = {**names, "type": f"io.fncast.{type_}.v1", "modelname": "m", "modelversion": "1"}
    headers: Headers = [(f"ce_{name}", value.encode()) for name, value in named.items()]
    at_ms = 1_000 * STEP_S * step + series
    return Record(
        topic, 0, 0, at_ms, None, orjson.dumps(data), [*headers, ("content-type", b"application/json")]
    )


def history() -> list[Record]:
    """Readings with outliers and gaps, and forecasts, in the order of time; each topic has its own offsets."""
    rng = np.random.default_rng(3)
    found, offsets = [], dict.fromkeys(TOPICS, 0)
    for step in range(STEPS):
        for series in range(SERIES):
            if series == 1 and 50 < step < 70:
                continue  # silent
            value = 50 + float(rng.normal()) + (20 if step in (40, 41, 80) else 0)
            at = format_time(START + timedelta(seconds=STEP_S * step))
            following = format_time(START + timedelta(seconds=STEP_S * (step + 1)))
            window = {"start": at, "step_s": STEP_S, "values": [value]}
            columns = {
                q: [50 + d + float(rng.normal())] * HORIZON for q, d in (("0.1", -2), ("0.5", 0), ("0.9", 2))
            }
            forecast = {"start": following, "step_s": STEP_S, "quantiles": columns}
            found.append(record("metrics", "window", series, step, window))
            found.append(record("forecasts", "forecast", series, step, forecast))
    for each in found:
        each.offset = offsets[each.topic]
        offsets[each.topic] += 1
    return found


class Run:
    """A judge and what a broker keeps of it: state, committed offsets and events."""

    def __init__(self) -> None:
        self.stored: Stored = {topic: {} for topic in TOPICS}
        self.committed = dict.fromkeys(TOPICS, 0)
        self.events: list[tuple[bytes, bytes]] = []
        self.now_s = 0.0
        self.start()

    def start(self) -> None:
        self.judge = Judge(RULES, TOPICS, lambda: self.now_s)
        self.restore(*TOPICS)

    def restore(self, *topics: str) -> None:
        for topic in topics:
            state = list(self.stored[topic].values())
            offset = self.judge.restore(topic, 0, 1, self.committed[topic], state)
            assert offset == self.committed[topic]

    def process(self, records: list[Record], commits: tuple[str, ...] = TOPICS) -> None:
        """Process a batch; only some topics' results are committed."""
        self.now_s += 1.0
        deliveries = [Delivery(each, 1) for each in records if each.offset >= self.committed[each.topic]]
        if not deliveries:
            return
        asyncio.run(Chain([self.judge]).on_consume(Batch(deliveries)))
        for delivery in deliveries:
            topic = delivery.record.topic
            assert delivery.outcome is not None
            if topic not in commits:
                continue
            self.committed[topic] = delivery.record.offset + 1
            for state in delivery.state:
                self.stored[topic][state.key] = state
            if isinstance(delivery.outcome, Forecast):
                self.events += [
                    (dict(e.headers)["ce_id"] or b"", e.value or b"") for e in delivery.outcome.events
                ]

    def states(self) -> dict[str, bytes]:
        monitor = self.judge.partitions[0].monitor
        return {name: msgspec.msgpack.encode(series.state()) for name, series in monitor.series.items()}


def assert_same_figures(run: Run, whole: Run) -> None:
    found, right = (
        {name: each.joined.accuracy("m/1").total_figures() for name, each in series.items()}
        for series in (each.judge.partitions[0].monitor.series for each in (run, whole))
    )
    assert found.keys() == right.keys()
    for name in right:
        assert found[name] == pytest.approx(right[name], abs=1e-9)


def batches(size: int) -> list[list[Record]]:
    every = history()
    return [every[first : first + size] for first in range(0, len(every), size)]


@pytest.mark.parametrize("seed", range(4))
def test_kills_change_neither_events_nor_state(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SERIES_AT_ONCE", 1)
    chance = random.Random(seed)
    whole, killed = Run(), Run()
    for batch in batches(14):
        whole.process(batch)
        killed.process(batch)
        if chance.random() < 0.4:
            killed.start()
            killed.judge.partitions[0].journal.apply()
            assert killed.states() == whole.states()
    assert len(whole.events) > 20
    assert killed.events == whole.events


@pytest.mark.parametrize("first", TOPICS)
def test_a_kill_between_the_commits_of_two_topics_loses_nothing(first: str) -> None:
    whole, killed = Run(), Run()
    left: list[Record] = []
    for number, batch in enumerate(batches(14)):
        whole.process(batch)
        left += batch
        if number % 5 == 4 or number == 0:  # also the batch in which the series are new
            killed.process(left, commits=(first,))
            killed.start()
        else:
            killed.process(left)
            left = []
    killed.process(left)
    assert_same_figures(killed, whole)


@pytest.mark.parametrize("first", TOPICS)
def test_records_that_came_before_all_topics_are_restored_keep_their_order(first: str) -> None:
    """They are left unsettled, and come again behind later records of their topic."""
    whole, run = Run(), Run()
    every = history()
    whole.process(every)
    early = [Delivery(each, 1) for each in every[:14] if each.topic == first]
    later = [Delivery(each, 1) for each in every if all(each is not delivery.record for delivery in early)]
    run.judge = Judge(RULES, TOPICS, lambda: run.now_s)
    chain = Chain([run.judge])
    run.restore(first)
    asyncio.run(chain.on_consume(Batch(early)))
    run.restore(next(topic for topic in TOPICS if topic != first))
    for part in (later, early + later):
        asyncio.run(chain.on_consume(Batch([each for each in part if each.outcome is None])))
    assert all(each.outcome is not None for each in (*early, *later))
    assert_same_figures(run, whole)


def test_the_state_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ROUND_ENTRIES", 60)
    run = Run()
    sizes = []
    for batch in batches(14):
        run.process(batch)
        sizes.append(sum(map(len, run.stored.values())))
    assert max(sizes) <= 2 * (SERIES + 1 + 2 * 6)
    run.start()
    run.judge.partitions[0].journal.apply()


def test_the_state_of_another_version_is_an_error() -> None:
    judge = Judge(RULES, TOPICS)
    old = StateRecord(b"cpu-0", msgspec.msgpack.encode([7, ["state"]]))
    with pytest.raises(StateError, match="fncast state reset"):
        judge.restore("metrics", 0, 1, 5, [old])
    newer = StateRecord(b"cpu-0", msgspec.msgpack.encode([journal.VERSION + 1, 7, ["state"]]))
    with pytest.raises(StateError, match=f"the format {journal.VERSION + 1}"):
        judge.restore("metrics", 0, 1, 5, [newer])


def test_long_names_make_no_record_that_a_broker_rejects() -> None:
    names = [f"{number:04}" + "é" * 1020 for number in range(1_000)]
    entries: list[journal.Entry] = [(place, (READING, name, 1, 2.0, 3)) for place, name in enumerate(names)]
    monitor = MonitorPartition(RULES)
    written = journal.Journal(monitor, lambda: 0.0).write({"metrics": entries}, {"metrics": 1})
    assert max(len(each.value or b"") for each in written["metrics"]) < 1_000_000


def test_many_new_series_at_once_make_records_that_a_broker_takes() -> None:
    data = {"start": format_time(START), "step_s": STEP_S, "values": [50.0]}
    records = [record("metrics", "window", series, 0, data) for series in range(1_000)]
    judge = Judge(RULES, TOPICS, lambda: 0.0)
    deliveries = [Delivery(msgspec.structs.replace(each, offset=at)) for at, each in enumerate(records)]
    deliveries.append(
        Delivery(record("forecasts", "other", 0, 1, {}))
    )  # so that no earlier forecast is expected
    asyncio.run(Chain([judge]).on_consume(Batch(deliveries)))
    sizes = [len(each.value or b"") for delivery in deliveries for each in delivery.state]
    assert sum(sizes) > 4 * journal.RECORD_BYTES
    assert max(sizes) < 2 * journal.RECORD_BYTES
