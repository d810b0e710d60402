"""Single readings on the page: shown once a forecast has their step, beside the forecast, which they score."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.settings import load
from fncast.cli.records.page_decoders import page_decoders
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.events.single_reading import SingleReading
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics

START_S = 1_714_521_600.0  # `conftest.START`
STEP_S = 300.0
SETTINGS = """
[[inputs]]
topic = "metrics"
format = "telegraf-json"
series = "{name}"
exclude = ["noise"]
"""


@pytest.fixture
def decoders(tmp_path):
    file = tmp_path / "fncast.toml"
    file.write_text(SETTINGS)
    return page_decoders(load(file, environ={}))


def telegraf(at: float, value: float, name: str = "cpu") -> ReceivedRecord:
    metric = {"name": name, "fields": {"value": value}, "tags": {}, "timestamp": START_S + at * STEP_S}
    return ReceivedRecord("metrics", 0, 0, START_S, json.dumps(metric).encode())


def shown(state: PageState) -> dict[str, Any]:
    return {series["name"]: series for series in state.snapshot(START_S)["series"]}


def test_readings_are_shown_beside_their_forecasts(decoders, make):
    state = PageState(PageTopics(), START_S, decoders)
    for at in range(5):
        state.add(telegraf(at, float(at)), START_S)
    assert shown(state) == {}  # the step is not known yet
    state.add(make.forecast([5.0, 6.0], 5), START_S)
    assert shown(state)["cpu"]["actual"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert shown(state)["cpu"]["forecast"]["start"] == 0  # its own start is the grid's first step
    state.add(telegraf(5.01, 7.0), START_S)  # a little late, but in its step
    state.add(telegraf(6.9, 8.0), START_S)
    view = shown(state)["cpu"]
    assert view["actual"] == [0.0, 1.0, 2.0, 3.0, 4.0, 7.0, 8.0]
    assert view["score"] is not None
    assert state.snapshot(START_S)["totals"]["events"] == 7
    assert state.snapshot(START_S)["totals"]["unreadable"] == 0


@pytest.mark.parametrize("is_early", [True, False], ids=["before the first forecast", "later"])
def test_a_reading_far_ahead_of_its_record_does_not_hide_the_others(decoders, make, is_early):
    state = PageState(PageTopics(), START_S, decoders)
    state.add(telegraf(0, 1.0), START_S)
    if is_early:
        state.add(telegraf(10_000, 99.0), START_S)
    state.add(make.forecast([5.0], 1), START_S)
    if not is_early:
        state.add(telegraf(10_000, 99.0), START_S)
    state.add(telegraf(1, 2.0), START_S)
    assert shown(state)["cpu"]["actual"] == [1.0, 2.0]


def test_series_that_are_excluded_are_not_shown(decoders, make):
    state = PageState(PageTopics(), START_S, decoders)
    state.add(telegraf(0, 1.0, "noise"), START_S)
    state.add(telegraf(0, 1.0), START_S)
    state.add(make.forecast([5.0], 1), START_S)
    assert set(shown(state)) == {"cpu"}


def test_a_new_step_of_the_forecasts_restarts_the_series(decoders, make):
    state = PageState(PageTopics(), START_S, decoders)
    state.add(telegraf(0, 1.0), START_S)
    state.add(make.forecast([5.0], 1), START_S)
    data = {"start": "2024-05-01T00:05:00Z", "step_s": 60, "values": [1.0], "unit": ""}
    again = make.record("forecasts", make.attributes("io.fncast.forecast.v1", "other", "cpu"), data)
    state.add(again, START_S)
    assert shown(state)["cpu"]["times"] == [START_S + 300]
    assert state.snapshot(START_S)["totals"]["unreadable"] == 0


def test_a_topic_of_readings_shows_also_windows_and_bytes(decoders, make):
    state = PageState(PageTopics(), START_S, decoders)
    state.add(make.window([1.0, 2.0]), START_S)
    assert shown(state)["cpu"]["actual"] == [1.0, 2.0]
    state.add(ReceivedRecord("metrics", 0, 0, START_S, b"\xff"), START_S)
    assert state.snapshot(START_S)["totals"]["unreadable"] == 1


def test_a_counter_is_shown_as_its_rate(make):
    values = [100.0, 400.0, 1000.0, 30.0]  # the last one after a reset

    def decode(record: ReceivedRecord) -> list[SingleReading]:
        at = record.offset
        return [SingleReading("cpu", START_S + at * STEP_S, values[at], is_counter=True)]

    state = PageState(PageTopics(), START_S, {"metrics": decode})
    for offset in range(4):
        state.add(ReceivedRecord("metrics", 0, offset, START_S, b""), START_S)
    state.add(make.forecast([1.0], 4), START_S)
    assert shown(state)["cpu"]["actual"][-3:] == [1.0, 2.0, 0.1]
