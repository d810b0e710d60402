import pytest

from model_service.training.base.shape import (
    LONG,
    LONG_COMPARED,
    LONG_LAGS,
    SHORT,
    SIZES,
    Size,
    history_knots,
    long_lags,
)


@pytest.mark.parametrize("size", SIZES)
def test_the_knots_of_a_size_rise_from_the_first_to_the_last_step(size: Size) -> None:
    assert (size.knots[0], size.knots[-1]) == (0, size.horizon - 1)
    assert list(size.knots) == sorted(set(size.knots))


def test_sizes_are_ordered_so_that_the_smallest_that_fits_comes_first() -> None:
    assert list(SIZES) == sorted(SIZES, key=lambda size: (size.window, size.horizon))


def test_a_window_has_the_history_knots_that_it_can_reach() -> None:
    assert history_knots(SHORT.window) == (8.0, 12.0, 16.0, 24.0, 40.0, 64.0)
    assert history_knots(LONG.window)[-1] == LONG.window
    assert history_knots(7) == ()


def test_a_long_lag_leaves_readings_to_compare_with() -> None:
    assert long_lags(SHORT.window) == ()
    assert long_lags(LONG_LAGS[0] + LONG_COMPARED) == LONG_LAGS[:1]
    assert long_lags(LONG.window) == LONG_LAGS
