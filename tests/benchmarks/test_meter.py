from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from benchmarks.broker import Broker
from benchmarks.load import publish, records
from benchmarks.meter import Measured, Meter
from consumer.embedded import EmbeddedBroker

COUNT = 120


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    one = EmbeddedBroker()
    yield Broker(one.bootstrap_servers, "embedded", embedded=True)
    one.close()


def measure(broker: Broker, name: str, causes: list[int]) -> Measured:
    """What the meter says of an output with these causes, in this order, one key for all."""
    broker.make_topics(f"{name}-in", f"{name}-out")
    publish(broker.bootstrap_servers, f"{name}-in", records(COUNT))
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for cause in causes:
        headers: list[tuple[str, str | bytes | None]] = [("ce_causationid", f"{cause:09}".encode())]
        producer.produce(f"{name}-out", b"{}", "key", headers=headers)
    producer.flush(10)
    meter = Meter(broker.bootstrap_servers, f"{name}-in", f"{name}-out")
    try:
        meter.wait(len(causes), alive=lambda: None)
        return meter.measure(COUNT, skip=20)
    finally:
        meter.close()


def test_all_once_and_in_order_is_right(broker: Broker) -> None:
    measured = measure(broker, "right", list(range(COUNT)))
    assert measured.is_right
    assert (measured.forecasts, len(measured.delays_s)) == (COUNT, COUNT - 20)
    assert measured.delay_ms(0.5) > 0


@pytest.mark.parametrize(
    ("name", "causes", "lost", "doubled", "disordered"),
    [
        ("lost", [*range(60), *range(62, COUNT)], 2, 0, 0),
        ("doubled", [*range(61), *range(60, COUNT)], 0, 1, 0),
        ("disordered", [*range(60), 61, 60, *range(62, COUNT)], 0, 0, 1),
        ("again", [*range(COUNT), *range(10)], 0, 10, 10),
    ],
)
def test_what_is_wrong_is_counted(
    broker: Broker, name: str, causes: list[int], lost: int, doubled: int, disordered: int
) -> None:
    measured = measure(broker, name, causes)
    assert not measured.is_right
    assert (measured.lost, measured.doubled, measured.disordered) == (lost, doubled, disordered)


def test_the_load_is_the_same_each_time_and_numbered() -> None:
    first, again = records(100), records(100)
    assert first == again
    assert [record.headers["ce_id"] for record in first[:2]] == [b"000000000", b"000000001"]
    assert len({record.key for record in first}) == 50
