"""Single readings on a topic become forecasts: one window for each step of each series, in order and once."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from consumer.state.keys import parse
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SERIES, STEPS, STEP_S, WINDOW, LEAST = 20, 40, 10, 16, 9
START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
FAULTY = Path(__file__).parents[2] / "chaos" / "faulty_consumer.py"


def config(testbed: Any) -> Path:
    file: Path = testbed.folder / "fncast.toml"
    file.write_text(
        f"""
[[inputs]]
topic = "{testbed.metrics}"
format = "telegraf-json"
destination = "forecast"

[windows]
window = {WINDOW}
min_readings = {LEAST}
"""
    )
    return file


def produce(testbed: Any, steps: range) -> None:
    for step in steps:
        for host in range(0, SERIES, 2):
            record = {
                "name": "cpu",
                "tags": {"host": f"h{host}"},
                "timestamp": START_S + step * STEP_S,
                "fields": {"idle": host + step / 4, "busy": 100 - host - step / 4},
            }
            testbed.producer.produce(
                testbed.metrics, json.dumps(record).encode(), f"h{host}".encode(), partition=host % 3
            )
    testbed.flush()


def expected(step: int, value: float, rise: float) -> dict[str, Any]:
    """The data of the window whose newest step is `step`. value: of step 0. rise: with each step."""
    begin = step - WINDOW + 1
    start_s = begin * STEP_S
    time = f"{'2025-12-31T23' if start_s < 0 else '2026-01-01T00'}:{start_s // 60 % 60:02}:{start_s % 60:02}Z"
    return {
        "start": time,
        "step_s": STEP_S,
        "values": [value + rise * at if at >= 0 else None for at in range(begin, step + 1)],
    }


def forecasts(testbed: Any, count: int, suffix: str = "") -> dict[str, list[dict[str, Any]]]:
    """The windows that the function saw, by series, in the order of the published forecasts."""
    return windows_of(testbed, testbed.wait_for(testbed.forecasts, count), suffix)


def windows_of(testbed: Any, messages: list[Message], suffix: str = "") -> dict[str, list[dict[str, Any]]]:
    """As `forecasts`, of these messages."""
    found: dict[str, list[dict[str, Any]]] = {}
    for message in messages:
        headers = dict(message.headers())
        name = headers["ce_subject"].decode()
        assert message.key() == name.encode()
        assert headers["ce_causationsource"] == f"kafka:{testbed.metrics}{suffix}".encode()
        found.setdefault(name, []).append(json.loads(message.value())["seen"])
    return found


def check(found: dict[str, list[dict[str, Any]]], steps: int) -> None:
    assert len(found) == SERIES
    for host in range(0, SERIES, 2):
        for field, first, rise in (("idle", host, 0.25), ("busy", 100 - host, -0.25)):
            windows = found[f"cpu.{field} host=h{host}"]
            wanted = [
                expected(step, first, rise) | {"labels": {"host": f"h{host}"}}
                for step in range(LEAST - 1, steps)
            ]
            assert windows == wanted


def test_each_step_of_each_series_is_forecast_once_and_in_order(testbed: Any) -> None:
    produce(testbed, range(STEPS))
    consumer = testbed.consume(config=config(testbed))
    check(forecasts(testbed, SERIES * (STEPS - LEAST + 1)), STEPS)
    assert consumer.terminate() == 0
    assert testbed.read_all(testbed.dead) == []


@pytest.mark.docker
@pytest.mark.guarantee("killed consumers lose and repeat no window of readings")
def test_killed_consumers_lose_and_repeat_no_window(exactly_once_testbed: Any) -> None:
    testbed, done = exactly_once_testbed, 0
    settings = config(testbed)
    for steps in (7, 15, 16, 40):  # the first ends before any window is complete
        consumer = testbed.consume(config=settings)
        produce(testbed, range(done, steps))
        done = steps
        if steps < STEPS:
            testbed.wait_for(testbed.forecasts, SERIES * max(0, steps - LEAST) // 2)
            consumer.kill()
    found = forecasts(testbed, SERIES * (STEPS - LEAST + 1))
    assert consumer.terminate() == 0
    check(found, STEPS)
    assert len(testbed.read_all(testbed.forecasts)) == SERIES * (STEPS - LEAST + 1)
    assert testbed.read_all(testbed.dead) == []


@pytest.mark.docker
def test_consumers_that_hand_over_partitions_continue_the_windows(exactly_once_testbed: Any) -> None:
    testbed = exactly_once_testbed
    settings = config(testbed)
    first = testbed.consume("one", settings)
    produce(testbed, range(20))
    testbed.wait_for(testbed.forecasts, SERIES)
    second = testbed.consume("two", settings)
    second.wait_for("assigned")
    produce(testbed, range(20, 30))
    assert first.terminate() == 0
    produce(testbed, range(30, STEPS))
    check(forecasts(testbed, SERIES * (STEPS - LEAST + 1)), STEPS)
    assert second.terminate() == 0
    assert len(testbed.read_all(testbed.forecasts)) == SERIES * (STEPS - LEAST + 1)


@pytest.mark.guarantee("readings of a series that come in several partitions are one series with `rekey`")
def test_a_series_that_is_spread_over_partitions_is_one_series_with_rekey(testbed: Any) -> None:
    """Each record goes to another partition. Its two readings of a step arrive in any order between partitions."""
    file = config(testbed)
    file.write_text(
        file.read_text().replace('destination = "forecast"', 'destination = "forecast"\nrekey = true')
    )
    consumer = testbed.consume(config=file)
    names = set()
    for step in range(LEAST + 2):
        for host in range(4):
            record = {
                "name": "cpu",
                "tags": {"host": f"h{host}"},
                "timestamp": START_S + step * STEP_S,
                "fields": {"idle": float(step)},
            }
            names.add(f"cpu.idle host=h{host}")
            testbed.producer.produce(
                testbed.metrics, json.dumps(record).encode(), partition=(step + host) % 4
            )
        testbed.flush()
        testbed.wait_for(f"{testbed.metrics}-by-series", 4 * (step + 1))  # so that steps arrive in order
    found = forecasts(testbed, 4 * 3, "-by-series")
    assert consumer.terminate() == 0
    assert found.keys() == names
    for windows in found.values():
        assert [window["values"] for window in windows] == [
            [None] * (WINDOW - 1 - step) + [float(at) for at in range(step + 1)]
            for step in range(LEAST - 1, LEAST + 2)
        ]


@pytest.mark.guarantee(
    "a backlog of a series in several partitions is read in the order of its records' timestamps"
)
@pytest.mark.parametrize("is_sent_at_once", [False, True])
def test_a_backlog_of_a_series_that_is_spread_over_partitions_is_read_in_order(
    embedded_testbed: Any, is_sent_at_once: bool
) -> None:
    """The client reads it partition by partition. Sent at once: many records have the same timestamp."""
    testbed, hosts, steps = embedded_testbed, 3, 400
    file = config(testbed)
    file.write_text(
        file.read_text().replace('destination = "forecast"', 'destination = "forecast"\nrekey = true')
    )
    sent_ms = 1000 * (START_S + steps * STEP_S)
    for step in range(steps):
        for host in range(hosts):
            at_s = START_S + step * STEP_S
            fields = {"idle": float(step)}
            record = {"name": "cpu", "tags": {"host": f"h{host}"}, "timestamp": at_s, "fields": fields}
            testbed.producer.produce(
                testbed.metrics,
                json.dumps(record).encode(),
                partition=(step // 7 + host) % 4,
                timestamp=sent_ms + step // 50 if is_sent_at_once else 1000 * at_s + host,
            )
    testbed.flush()
    consumer = testbed.consume(config=file)
    found = forecasts(testbed, hosts * (steps - LEAST + 1), "-by-series")
    assert consumer.terminate() == 0
    for windows in found.values():
        assert [window["values"][-1] for window in windows] == list(range(LEAST - 1, steps))
        assert all(None not in window["values"] for window in windows[WINDOW:])


@pytest.mark.guarantee(
    "a kill between the first commit and the first snapshot loses no reading, at-least-once"
)
def test_a_kill_between_the_first_commit_and_the_first_snapshot_loses_no_reading(
    embedded_testbed: Any,
) -> None:
    testbed = embedded_testbed
    settings = config(testbed)
    produce(testbed, range(20))
    killed = testbed.consume("killed", settings, program=[str(FAULTY), "--crash", "before-state:1"])
    assert killed.wait(60) == -signal.SIGKILL
    keys = {parse(message.key()).key for message in testbed.read_all(testbed.state)}
    assert b"head" not in keys  # only the marker, which says since when there is state
    consumer = testbed.consume("next", settings)
    produce(testbed, range(20, STEPS))
    wanted = SERIES * (STEPS - LEAST + 1)

    def found() -> dict[str, list[dict[str, Any]]]:
        once = {dict(m.headers())["ce_causationid"]: m for m in testbed.read_all(testbed.forecasts)}
        return windows_of(testbed, list(once.values())) if len(once) >= wanted else {}

    check(eventually(found, 60, consumer.log), STEPS)
    assert consumer.terminate() == 0
