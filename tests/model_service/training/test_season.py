import numpy as np
import pytest

from fncast.series.step import Step
from model_service.training.season import common_seasons, find_seasons, missing_for_week

RNG = np.random.default_rng(0)


def daily(days: int, season: int, noise: float) -> np.ndarray:
    at = np.arange(days * season)
    return (
        np.sin(2 * np.pi * at / season)
        + 0.5 * np.sin(6 * np.pi * at / season)
        + noise * RNG.normal(size=len(at))
    )


@pytest.mark.parametrize("season", [4, 7, 12, 24, 48, 96])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_finds_the_season(season: int, noise: float) -> None:
    assert find_seasons(daily(max(30, 600 // season), season, noise)) == (season,)


@pytest.mark.parametrize(("step", "season"), [("P1M", 12), ("P2M", 6), ("P3M", 4), ("P4M", 3), ("P6M", 2)])
def test_finds_the_year_of_a_calendar_step(step: str, season: int) -> None:
    """Noise hides the year if its length is not known in advance."""
    rng = np.random.default_rng(4)
    values = 10 * np.cos(2 * np.pi * np.arange(80) / season) + 7 * rng.normal(size=80)
    assert find_seasons(values, Step.parse(step)) == (season,)


@pytest.mark.parametrize("step", ["P1Y", "P5M", "P18M"])
def test_a_year_that_is_not_a_multiple_of_the_step_is_not_searched(step: str) -> None:
    assert find_seasons(np.random.default_rng(5).normal(size=80), Step.parse(step)) == ()


def test_finds_day_and_week() -> None:
    days = np.tile([1, 1, 1, 1, 1, 0.4, 0.3], 10).repeat(24)
    values = (2 + daily(70, 24, 0.1)) * days
    assert find_seasons(values, Step.seconds(3600)) == (24, 168)


@pytest.mark.parametrize("drift", [0.03, 0.1])
@pytest.mark.parametrize("weekend", [0.4, 1.0])
def test_a_drifting_level_hides_neither_day_nor_week(drift: float, weekend: float) -> None:
    rng = np.random.default_rng(1)
    days = np.tile([1, 1, 1, 1, 1, weekend, weekend], 10).repeat(24)
    values = (2 + np.sin(2 * np.pi * np.arange(1680) / 24)) * days + 0.1 * rng.normal(size=1680)
    values += drift * rng.normal(size=1680).cumsum()
    assert find_seasons(values, Step.seconds(3600)) == ((24, 168) if weekend < 1 else (24,))


def test_trend_and_gaps_do_not_hide_it() -> None:
    values = daily(30, 24, 0.2) + np.arange(720) * 0.05
    values[100:130] = np.nan
    assert find_seasons(values, Step.seconds(3600)) == (24,)


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=500),
        RNG.normal(size=500).cumsum(),
        np.arange(500.0),
        np.full(500, 3.0),
        np.full(500, np.nan),
        np.arange(3.0),
    ],
)
@pytest.mark.parametrize("step", [None, Step.seconds(3600)])
def test_no_season_if_nothing_repeats(values: np.ndarray, step: Step | None) -> None:
    assert find_seasons(values, step) == ()


def test_common_seasons_are_those_of_half_the_series() -> None:
    assert common_seasons([(24,), (24, 168), (7,), ()]) == (24,)
    assert common_seasons([(), (), (7,)]) == ()


def test_a_calendar_week_is_found_from_two_weeks_on() -> None:
    hours = np.arange(2 * 168 + 20)
    day = np.sin(2 * np.pi * hours / 24)
    weekend = (hours // 24 % 7 >= 5) * 2.0
    values = day - weekend + 0.05 * np.random.default_rng(0).normal(size=len(hours))
    hour = Step.seconds(3600.0)
    assert find_seasons(values, hour) == (24, 168)
    assert find_seasons(values[:300], hour) == (24,)
    assert missing_for_week(300, hour) == 36
    assert missing_for_week(336, hour) == 0
    assert missing_for_week(10, Step.calendar("P1M")) == 0
