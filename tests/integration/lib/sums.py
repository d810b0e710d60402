"""Running sums for the tests of state: records, what is expected of them, and what was published."""

from __future__ import annotations

from collections import Counter, defaultdict

from testbed import DeliveryTestbed

from tests.waiting import eventually

CHAIN = "tests.consumer.state.running_sums:RunningSums"


def with_sums(testbed: DeliveryTestbed) -> DeliveryTestbed:
    """A testbed whose consumers keep running sums."""
    testbed.variables = {"INTERCEPTORS__CHAIN": CHAIN}
    return testbed


def produce(testbed: DeliveryTestbed, count: int, first: int = 1, keys: int = 8) -> None:
    for number in range(first, first + count):
        testbed.produce(str(number), f"k{number % keys}".encode(), b"%d" % number)
        if number % 500 == 0:
            testbed.producer.poll(0)
    testbed.flush()


def expected(testbed: DeliveryTestbed) -> dict[str, int]:
    """The running sum of each record, by the id of its forecast; computed from the input alone."""
    sums: dict[tuple[int, bytes], int] = defaultdict(int)
    found = {}
    for message in testbed.read_all(testbed.metrics):
        key = message.partition(), message.key()
        sums[key] += int(message.value())
        found[f"{message.key().decode()}:{message.partition()}:{message.offset()}"] = sums[key]
    return found


def found(testbed: DeliveryTestbed) -> list[tuple[str, int]]:
    """Ids and sums of the forecasts, closings included."""
    return [
        (dict(message.headers())["ce_id"].decode(), int(message.value()))
        for message in testbed.read_all(testbed.forecasts)
    ]


def wait_for_all(testbed: DeliveryTestbed) -> None:
    """Wait until each record has its forecast."""
    wanted = expected(testbed)
    eventually(
        lambda: wanted.keys() <= dict(found(testbed)).keys(), 40, lambda: testbed.started[-1].log()[-2000:]
    )


def check(testbed: DeliveryTestbed, *, repeats: bool = False) -> None:
    """Each record's forecast has the right sum. Without `repeats`, no forecast comes twice, closings included."""
    forecasts = found(testbed)
    assert {id_: total for id_, total in forecasts if ":closed:" not in id_} == expected(testbed)
    for id_, total in forecasts:
        assert forecasts.count((id_, total)) == 1 or repeats, id_
    assert repeats or max(Counter(id_ for id_, _ in forecasts).values()) == 1
