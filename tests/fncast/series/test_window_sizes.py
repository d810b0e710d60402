import pytest

from fncast.series.window_sizes import next_window, window_for

SIZES = ((64, 24), (512, 96))


@pytest.mark.parametrize(
    ("readings", "horizon", "window"),
    [
        (8, 12, 64),
        (64, 24, 64),
        (127, 24, 64),
        (128, 12, 512),
        (8, 25, 512),
        (100, None, 64),
        (2_000, None, 512),
    ],
)
def test_the_smaller_size_forecasts_below_twice_its_readings_if_it_has_the_horizon(
    readings: int, horizon: int | None, window: int
) -> None:
    assert window_for(SIZES, readings, horizon) == window


def test_the_largest_size_has_no_next() -> None:
    assert next_window(SIZES, 64) == 512
    assert next_window(SIZES, 512) is None
