"""Records per second. The tests pass the time."""

from fncast.dashboard.figures.record_rate import RATE_WINDOW_S, RecordRate


def test_a_rate_is_the_average_of_the_last_seconds() -> None:
    rate = RecordRate(0.0)
    for tenth in range(200):
        rate.add(tenth / 10, is_live=True)
    assert rate.per_s(19.99) == 10.0
    assert rate.per_s(19.99 + 2 * RATE_WINDOW_S) == 0.0
    assert rate.total == 200


def test_history_counts_only_in_the_total() -> None:
    rate = RecordRate(0.0)
    rate.add(0.0, is_live=False)
    assert (rate.total, rate.per_s(0.1)) == (1, 0.0)


def test_a_clock_that_is_set_back_leaves_no_records_of_the_future() -> None:
    rate = RecordRate(0.0)
    for _ in range(100):
        rate.add(5000.0, is_live=True)
    rate.add(1000.0, is_live=True)
    assert rate.per_s(1000.5) == 1 / RATE_WINDOW_S
