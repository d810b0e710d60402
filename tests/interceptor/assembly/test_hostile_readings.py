"""Readings with any time and value, and records of any bytes, never raise an exception."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.step import Step
from interceptor.assembly import snapshot
from interceptor.assembly.dropped_readings import describe
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.single_readings import SingleReadings
from interceptor.assembly.window import window_event
from interceptor.builtin.assemble import Assemble, ReadingInput
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery, Record
from interceptor.readings.contract import Series
from interceptor.readings.formats import BUILT_IN, build_format
from tests.interceptor.assembly.partitions import Names, decoded

DAY_NS = 86_400 * 10**9
STEPS = (None, None, None, Step.seconds(1e-6), Step.seconds(10), Step.parse("P1M"), Step.parse("P1Y"))
UNITS_NS = (1, 1000, 10**9, DAY_NS, 30 * DAY_NS, 365 * DAY_NS, 10**18)


def random_rules(chance: Random) -> Rules:
    step = chance.choice(STEPS)
    return Rules(
        window=chance.choice([2, 48, 1024]),
        minimum=chance.choice([1, 2]),
        step=step,
        aggregate=chance.choice(["last", "mean", "count"]) if step else "last",
        grace_ns=chance.choice([0, 10**10, 10**18]),
    )


@given(st.integers(0, 2**32))
def test_any_times_and_values_give_valid_windows(seed: int) -> None:
    chance = Random(seed)
    rules, names = random_rules(chance), Names(chance.random() < 0.3)
    windows = PartitionWindows(names, rules, "t")
    base, unit = chance.choice([0, 10**9, 2**62, 2**63 - 10**12]), chance.choice(UNITS_NS)
    completed = []
    for offset in range(chance.randint(10, 60)):
        near = base + chance.choice([offset, chance.randrange(100)]) * unit
        time_ns = min(2**63 - 1, chance.choice([near, near, chance.randrange(2**63)]))
        readings = decoded([("s", 0, chance.choice([1.0, -1e18, 1e18, 5e-324, 0.0]))])
        readings.times_ns = [time_ns]
        completed += windows.add(readings, chance.choice([0, -1, 2**43, 2**53, time_ns // 10**6]), offset)
        if chance.random() < 0.1:
            completed += windows.close_by_clock(chance.choice([0, 2**43]))
    if windows.dropped is not None:
        assert describe(windows.dropped)
    for window in completed:
        assert len(window.values) == rules.window
        assert window_event(window, "kafka:t").to_json().endswith(b"}}")
    restored = PartitionWindows(names, rules, "t")
    assert snapshot.read(restored, snapshot.write(windows), "t/0", 10**6)


VALID = {
    "cloudevents": b'{"specversion":"1.0"}',
    "telegraf-json": b'{"name":"cpu","tags":{"h":"a"},"fields":{"idle":1e400,"x":true},"timestamp":1767225600}',
    "influx-line": b'cpu,h=a idle=1.5,n=3i,s="a" 1767225600000000000\n',
    "prometheus-json": b'{"timestamp":"2026-01-01T00:00:00Z","value":"NaN","name":"up","labels":{"a":"b"}}',
    "prometheus-remote-write": b"\x0a\x00",
    "otlp-json": b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{}]}}]}]}]}',
    "otlp-protobuf": b"\x0a\x02\x12\x00",
    "json": b'{"a":1,"b":{"c":[1]},"t":"\\ud800"}',
}


@pytest.mark.parametrize("name", BUILT_IN)
@given(st.integers(0, 2**32), st.binary(max_size=40))
def test_any_bytes_have_an_outcome(name: str, seed: int, noise: bytes) -> None:
    chance = Random(seed)
    assemble = Assemble(
        {"t": ReadingInput(build_format(name, {}), Rules(minimum=1), is_event=name == "cloudevents")}
    )
    chain = Chain([assemble], reading_topics=() if name == "cloudevents" else ["t"])
    headers = [
        *((f"ce_{key}", text) for key, text in (("specversion", b"1.0"), ("id", b"1"), ("source", b"s"))),
        ("ce_type", b"io.fncast.reading.v1"),
    ]
    deliveries = []
    for offset in range(10):
        value = bytearray(VALID[name])
        at = chance.randrange(len(value) + 1)
        value[at : at + chance.randrange(5)] = noise[: chance.randrange(len(noise) + 1)]
        whole = bytes(value) if chance.random() < 0.8 else noise
        record = Record(
            "t",
            0,
            offset,
            chance.choice([0, 2**43, 2**53]),
            None,
            whole,
            headers if name == "cloudevents" else [],
        )
        deliveries.append(Delivery(record))
    asyncio.run(chain.on_consume(Batch(deliveries)))
    for delivery in deliveries:
        assert delivery.outcome is not None or delivery.windows


@pytest.mark.parametrize("unit", ["x" * 129, "\ud800"])
def test_a_unit_that_does_not_fit_into_the_state_is_left_out(unit: str) -> None:
    rules = Rules(window=2, minimum=1)
    assert SingleReadings(Series("a", {}, unit), b"", rules, 0).unit == ""
    assert SingleReadings(Series("a", {}, "kWh"), b"", rules, 0).unit == "kWh"
