from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from confluent_kafka import Producer

from benchmarks.lib import meter
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.load import Load
from benchmarks.lib.meter import Meter, RunResult, Tally, WrongForecasts
from consumer.kafka.embedded import EmbeddedBroker

COUNT = 120


class NoError:
    """A message that is a record."""

    def error(self) -> None: ...


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


def measure(broker: EmbeddedBroker, name: str, causes: list[int]) -> RunResult:
    """Return the meter's result for forecasts of these events, in this order, with one key."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for cause in causes:
        headers: list[tuple[str, str | bytes | None]] = [("ce_causationid", f"{cause:09}".encode())]
        producer.produce(f"{name}-out", b"{}", "key", headers=headers)
    producer.flush(10)
    meter = Meter(broker.bootstrap_servers, f"{name}-out", PARTITIONS)
    try:
        meter.wait(len(causes), check=lambda: None)
        tally = Tally(COUNT)
        tally.add_all(meter.read(len(causes)))
        return tally.result()
    finally:
        meter.close()


def test_one_forecast_for_each_event_in_order_is_right(broker: EmbeddedBroker) -> None:
    result = measure(broker, "right", list(range(COUNT)))
    assert result.is_complete
    assert (result.events, result.forecasts, result.disordered) == (COUNT, COUNT, 0)


@pytest.mark.parametrize(
    ("name", "causes", "lost", "doubled", "disordered"),
    [
        ("lost", [*range(60), *range(62, COUNT)], 2, 0, 0),
        ("doubled", [*range(61), *range(60, COUNT)], 0, 1, 0),
        ("disordered", [*range(60), 61, 60, *range(62, COUNT)], 0, 0, 1),
        ("again", [*range(COUNT), *range(10)], 0, 10, 10),
    ],
)
def test_faults_are_counted(
    broker: EmbeddedBroker, name: str, causes: list[int], lost: int, doubled: int, disordered: int
) -> None:
    result = measure(broker, name, causes)
    assert result.is_complete == (not lost and not doubled)
    assert (result.lost, result.doubled, result.disordered) == (lost, doubled, disordered)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lost": 1}, "of 10 events 1 lost, 0 doubled, 0 out of order"),
        ({"doubled": 1}, "of 10 events 0 lost, 1 doubled, 0 out of order"),
        ({"disordered": 1}, "of 10 events 0 lost, 0 doubled, 1 out of order"),
    ],
)
def test_a_run_that_loses_doubles_or_disorders_an_event_is_wrong(wrong: dict[str, int], message: str) -> None:
    right = RunResult(events=10, forecasts=10, rate=1.0, lost=0, doubled=0, disordered=0)
    right.check()
    with pytest.raises(WrongForecasts, match=message):
        replace(right, **wrong).check()


def test_the_load_is_the_same_each_time_and_numbered() -> None:
    first, again = list(Load(100).records()), list(Load(100).records())
    assert first == again
    assert [dict(headers)["ce_id"] for _, _, headers in first[:2]] == [b"000000000", b"000000001"]
    assert len({key for key, _, _ in first}) == 50


def test_the_load_has_the_given_number_of_series_and_readings() -> None:
    records = list(Load(20, series=5, values=96).records())
    assert len({key for key, _, _ in records}) == 5
    assert all(len(orjson.loads(value or b"")["values"]) == 96 for _, value, _ in records)


def test_a_pause_of_the_process_is_not_the_end_of_a_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first poll takes longer than the wait for missing records. The next poll returns a record."""
    now_s = [0.0]
    monkeypatch.setattr(meter.time, "monotonic", lambda: now_s[0])
    polls: list[list[object]] = [[], [NoError()]]

    class SlowConsumer:
        def assign(self, places: object) -> None: ...

        def consume(self, count: int, wait_s: float) -> list[object]:
            now_s[0] += 100.0 if polls else wait_s
            return polls.pop(0) if polls else []

    monkeypatch.setattr(meter, "QueryConsumers", lambda *_: {meter.COMMITTED: SlowConsumer()})
    assert len(list(Meter("127.0.0.1:9", "out", 1).read(1))) == 1
