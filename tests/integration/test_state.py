"""State of interceptors through restarts: tests/consumer/state/running_sums.py counts on each broker and guarantee."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from kafka_container import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CHAIN = "tests.consumer.state.running_sums:RunningSums"


@pytest.fixture
def sums(stage):
    return with_sums(stage)


def with_sums(stage):
    """A stage whose consumers keep running sums."""
    stage.state = f"state-{stage.tag}"
    stage.variables = {"INTERCEPTORS__CHAIN": CHAIN, "KAFKA__STATE_TOPIC": stage.state}
    return stage


def produce(stage, count: int, first: int = 1, keys: int = 8) -> None:
    for number in range(first, first + count):
        stage.produce(str(number), f"k{number % keys}".encode(), b"%d" % number)
        if number % 500 == 0:
            stage.producer.poll(0)
    stage.flush()


def expected(stage) -> dict[str, int]:
    """The running sum of each record, by the id of its forecast; computed from the input alone."""
    sums: dict[tuple[int, bytes], int] = defaultdict(int)
    found = {}
    for message in stage.read_all(stage.metrics):
        key = message.partition(), message.key()
        sums[key] += int(message.value())
        found[f"{message.key().decode()}:{message.partition()}:{message.offset()}"] = sums[key]
    return found


def found(stage) -> list[tuple[str, int]]:
    """Ids and sums of the forecasts, closings included."""
    return [
        (dict(message.headers())["ce_id"].decode(), int(message.value()))
        for message in stage.read_all(stage.forecasts)
    ]


def wait_for_all(stage) -> None:
    """Wait until each record has its forecast."""
    wanted = expected(stage)
    eventually(
        lambda: wanted.keys() <= dict(found(stage)).keys(), 40, lambda: stage.started[-1].log()[-2000:]
    )


def check(stage, *, repeats: bool = False) -> None:
    """Each record's forecast has the right sum. Without `repeats`, no forecast comes twice, closings included."""
    forecasts = found(stage)
    assert {id_: total for id_, total in forecasts if ":closed:" not in id_} == expected(stage)
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
