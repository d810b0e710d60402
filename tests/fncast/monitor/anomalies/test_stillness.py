"""When a value that stays the same counts as stuck."""

from fncast.monitor.anomalies.stillness import MIN_RUN, Stillness


def runs(values: list[float], is_anomaly: bool = False) -> list[float]:
    stillness = Stillness()
    return [stillness.update(value, is_anomaly) for value in values]


def test_a_changing_value_that_rests_is_stuck_soon() -> None:
    found = runs([float(i) for i in range(50)] + [7.5] * 10)
    assert max(found[:50]) <= 1
    assert [length > 1 for length in found[50:]].index(True) == MIN_RUN


def test_a_value_that_often_rests_is_not_stuck_by_the_same_rest() -> None:
    resting = [float(i // 20) for i in range(200)]
    found = runs(resting)
    assert max(found[40:]) <= 1


def test_a_longer_rest_than_ever_is_stuck() -> None:
    assert runs([float(i // 20) for i in range(200)] + [0.0] * 60)[-1] > 1


def test_a_stuck_run_ends_with_the_reading_that_differs() -> None:
    stillness = Stillness()
    ended = []
    for value in [*range(50), *[7.5] * 10, 8.0, 9.0]:
        stillness.update(float(value), False)
        ended.append(stillness.has_ended)
    assert [at for at, has_ended in enumerate(ended) if has_ended] == [60]
