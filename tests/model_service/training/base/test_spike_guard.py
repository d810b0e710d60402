import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base.spike_guard import MIN_READINGS, SpikeGuard, unit

OTHERS = np.array(
    [(-1.0) ** index for index in range(63)], np.float32
)  # their half range is 1, their middle 0


def guarded(last: float, others: np.ndarray = OTHERS, known: int = 63) -> tuple[float, float]:
    """The last value and its mask behind the guard. known: how many of the other readings are known."""
    values = np.append(others, np.float32(last))
    present = np.append(np.arange(63) >= 63 - known, 1).astype(np.float32)
    values_out, present_out = SpikeGuard()([(values * present)[np.newaxis], present[np.newaxis]])
    np.testing.assert_array_equal(np.asarray(values_out)[0, :-1], (values * present)[:-1])
    return float(np.asarray(values_out)[0, -1]), float(np.asarray(present_out)[0, -1])


@pytest.mark.parametrize("last", [5.0, -5.0, 50.0])
def test_a_spike_in_the_last_reading_counts_as_missing(last: float) -> None:
    assert guarded(last) == (0.0, 0.0)


@pytest.mark.parametrize("last", [0.0, 1.0, -1.9])
def test_a_reading_within_the_usual_range_is_kept(last: float) -> None:
    assert guarded(last) == pytest.approx((last, 1.0))


def test_a_value_that_is_far_beyond_is_the_start_of_something_new() -> None:
    assert guarded(1000.0) == (1000.0, 1.0)


def test_any_value_after_a_constant_is_kept() -> None:
    assert guarded(5.0, np.full(63, 2.0, np.float32)) == (5.0, 1.0)


def test_few_readings_show_no_range() -> None:
    assert guarded(5.0, known=MIN_READINGS - 1) == (5.0, 1.0)
    assert guarded(5.0, known=MIN_READINGS) == (0.0, 0.0)


def test_a_share_lies_within_0_and_1() -> None:
    assert np.asarray(unit(np.float32([-3, 0, 0.25, 1, 7]))).tolist() == [0, 0, 0.25, 1, 1]
