"""Delays from inputs to answers. The tests pass the time."""

from fncast.dashboard.figures.delay import LATE_S, MAX_UNMATCHED, DelayTracker, PendingInput, percentile


def test_input_and_answer_may_be_read_in_any_order() -> None:
    delay = DelayTracker()
    delay.add_input(("/a", "1"), PendingInput(10.0, 7), 0.0)
    assert delay.add_answer(("/a", "1"), 10.5, 0.0) == PendingInput(10.0, 7)
    assert delay.add_answer(("/a", "2"), 11.0, 0.0) is None
    delay.add_input(("/a", "2"), PendingInput(10.75, None), 0.0)
    assert delay.as_json(0.0) == {"p50_s": 0.25, "p99_s": 0.5, "count": 2}


def test_the_same_id_of_another_source_is_another_event() -> None:
    delay = DelayTracker()
    delay.add_input(("/a", "1"), PendingInput(10.0, None), 0.0)
    assert delay.add_answer(("/b", "1"), 10.5, 0.0) is None


def test_delays_cover_the_last_minute() -> None:
    delay = DelayTracker()
    delay.add_input(("/a", "1"), PendingInput(0.0, None), 0.0)
    delay.add_answer(("/a", "1"), 1.0, 0.0)
    assert delay.as_json(59.0)["count"] == 1
    assert delay.as_json(61.0) == {"p50_s": None, "p99_s": None, "count": 0}


def test_unmatched_records_are_bounded() -> None:
    delay = DelayTracker()
    for n in range(MAX_UNMATCHED + 10):
        delay.add_input(("/a", str(n)), PendingInput(0.0, None), 0.0)
        delay.add_answer(("/b", str(n)), 1.0, 0.0)
    assert delay.add_answer(("/a", "9"), 1.0, 0.0) is None
    assert delay.add_answer(("/a", "20"), 1.0, 0.0) is not None
    count = delay.as_json(0.0)["count"]
    delay.add_input(("/b", "9"), PendingInput(0.0, None), 0.0)
    assert delay.as_json(0.0)["count"] == count  # its answer is forgotten
    delay.add_input(("/b", "20"), PendingInput(0.0, None), 0.0)
    assert delay.as_json(0.0)["count"] == count + 1


def test_percentiles_are_observed_values() -> None:
    assert percentile([], 0.5) is None
    assert percentile([1.0], 0.99) == 1.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0


def test_a_wrong_timestamp_of_an_input_gives_no_delay() -> None:
    delay = DelayTracker()
    delay.add_input(("/a", "1"), PendingInput(0.001, None), 0.0)
    delay.add_answer(("/a", "1"), 1_795_969_069.0, 0.0)
    delay.add_answer(("/a", "2"), 1_795_969_069.0, 0.0)
    delay.add_input(("/a", "2"), PendingInput(0.001, None), 0.0)
    assert delay.as_json(0.0) == {"p50_s": None, "p99_s": None, "count": 0}


def read(delay: DelayTracker, offset: int, partition: int = 0) -> None:
    """Add the input whose id is its partition and offset, at the time 0."""
    pending = PendingInput(0.0, None, partition=("metrics", partition), offset=offset)
    delay.add_input(("/a", f"{partition}@{offset}"), pending, 0.0)


def test_an_input_before_one_with_an_outcome_does_not_wait() -> None:
    """Its function answered without an output, or an interceptor skipped it."""
    delay, late_s = DelayTracker(), LATE_S + 1.0
    for offset in range(4):
        read(delay, offset)
    read(delay, 0, partition=1)
    assert delay.waiting(late_s) == 5
    delay.add_answer(("/a", "0@1"), 1.0, 1.0)
    assert delay.waiting(late_s) == 3
    delay.add_dead_letter(("/a", "0@3"))
    assert delay.waiting(late_s) == 1


def test_an_input_before_one_whose_answer_was_read_first_does_not_wait() -> None:
    delay = DelayTracker()
    read(delay, 7)
    delay.add_answer(("/a", "0@8"), 1.0, 1.0)
    assert delay.waiting(LATE_S + 1.0) == 1
    read(delay, 8)
    assert delay.waiting(LATE_S + 1.0) == 0


def test_inputs_of_a_topic_that_was_created_again_wait() -> None:
    delay = DelayTracker()
    read(delay, 100)
    delay.add_answer(("/a", "0@100"), 1.0, 1.0)
    read(delay, 0)
    assert delay.waiting(LATE_S + 1.0) == 1
