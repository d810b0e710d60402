"""State of interceptors through restarts: tests/consumer/state/running_sums.py counts on each broker and guarantee."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from kafka_container import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CHAIN = "tests.consumer.state.running_sums:RunningSums"


@pytest.fixture
def sums(testbed):
    return with_sums(testbed)


def with_sums(testbed):
    """A testbed whose consumers keep running sums."""
    testbed.state = f"state-{testbed.tag}"
    testbed.variables = {"INTERCEPTORS__CHAIN": CHAIN, "KAFKA__STATE_TOPIC": testbed.state}
    return testbed


def produce(testbed, count: int, first: int = 1, keys: int = 8) -> None:
    for number in range(first, first + count):
        testbed.produce(str(number), f"k{number % keys}".encode(), b"%d" % number)
        if number % 500 == 0:
            testbed.producer.poll(0)
    testbed.flush()


def expected(testbed) -> dict[str, int]:
    """The running sum of each record, by the id of its forecast; computed from the input alone."""
    sums: dict[tuple[int, bytes], int] = defaultdict(int)
    found = {}
    for message in testbed.read_all(testbed.metrics):
        key = message.partition(), message.key()
        sums[key] += int(message.value())
        found[f"{message.key().decode()}:{message.partition()}:{message.offset()}"] = sums[key]
    return found


def found(testbed) -> list[tuple[str, int]]:
    """Ids and sums of the forecasts, closings included."""
    return [
        (dict(message.headers())["ce_id"].decode(), int(message.value()))
        for message in testbed.read_all(testbed.forecasts)
    ]


def wait_for_all(testbed) -> None:
    """Wait until each record has its forecast."""
    wanted = expected(testbed)
    eventually(
        lambda: wanted.keys() <= dict(found(testbed)).keys(), 40, lambda: testbed.started[-1].log()[-2000:]
    )


def check(testbed, *, repeats: bool = False) -> None:
    """Each record's forecast has the right sum. Without `repeats`, no forecast comes twice, closings included."""
    forecasts = found(testbed)
    assert {id_: total for id_, total in forecasts if ":closed:" not in id_} == expected(testbed)
    for id_, total in forecasts:
        assert forecasts.count((id_, total)) == 1 or repeats, id_
    assert repeats or max(Counter(id_ for id_, _ in forecasts).values()) == 1


def test_sums_go_on_after_a_clean_stop(sums):
    produce(sums, 400)
    consumer = sums.consume()
    wait_for_all(sums)
    assert consumer.terminate() == 0
    again = sums.consume()
    produce(sums, 200, first=401)
    wait_for_all(sums)
    assert again.terminate() == 0
    check(sums)
    assert "restored the state of" in again.log()
    assert " 0 records read again" in again.log()


def test_sums_go_on_after_a_kill(sums):
    produce(sums, 1000)
    consumer = sums.consume()
    sums.wait_for(sums.forecasts, 300)
    consumer.kill()
    again = sums.consume()
    produce(sums, 500, first=1001)
    wait_for_all(sums)
    assert again.terminate() == 0
    check(sums, repeats=not sums.is_exactly_once)
