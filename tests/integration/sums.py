"""Running sums for the tests of state: records, what is expected of them, and what was published."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from kafka_container import eventually

CHAIN = "tests.consumer.state.running_sums:RunningSums"


def with_sums(stage: Any) -> Any:
    """A stage whose consumers keep running sums."""
    stage.state = f"state-{stage.tag}"
    stage.variables = {"INTERCEPTORS__CHAIN": CHAIN, "KAFKA__STATE_TOPIC": stage.state}
    return stage


def produce(stage: Any, count: int, first: int = 1, keys: int = 8) -> None:
    for number in range(first, first + count):
        stage.produce(str(number), f"k{number % keys}".encode(), b"%d" % number)
        if number % 500 == 0:
            stage.producer.poll(0)
    stage.flush()


def expected(stage: Any) -> dict[str, int]:
    """The running sum of each record, by the id of its forecast; computed from the input alone."""
    sums: dict[tuple[int, bytes], int] = defaultdict(int)
    found = {}
    for message in stage.read_all(stage.metrics):
        key = message.partition(), message.key()
        sums[key] += int(message.value())
        found[f"{message.key().decode()}:{message.partition()}:{message.offset()}"] = sums[key]
    return found


def found(stage: Any) -> list[tuple[str, int]]:
    """Ids and sums of the forecasts, closings included."""
    return [
        (dict(message.headers())["ce_id"].decode(), int(message.value()))
        for message in stage.read_all(stage.forecasts)
    ]


def wait_for_all(stage: Any) -> None:
    """Wait until each record has its forecast."""
    wanted = expected(stage)
    eventually(
        lambda: wanted.keys() <= dict(found(stage)).keys(), 40, lambda: stage.started[-1].log()[-2000:]
    )


def check(stage: Any, *, repeats: bool = False) -> None:
    """Each record's forecast has the right sum. Without `repeats`, no forecast comes twice, closings included."""
    forecasts = found(stage)
    assert {id_: total for id_, total in forecasts if ":closed:" not in id_} == expected(stage)
    for id_, total in forecasts:
        assert forecasts.count((id_, total)) == 1 or repeats, id_
    assert repeats or max(Counter(id_ for id_, _ in forecasts).values()) == 1
