from datetime import UTC, datetime

import numpy as np
import pytest

from fncast.cli.training.settings import chosen_window
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from model_service.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("weeks", "window"),
    [(20, 336), (10, 192), (2, 48)],  # two weeks; a week and a day; too few readings for either
)
def test_the_window_holds_a_week_if_there_are_enough_readings(weeks: int, window: int) -> None:
    readings = TimeSeries(
        "hours", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(3600), np.zeros(weeks * 168)
    )
    assert chosen_window([readings], TrainingSettings(seasons=(24, 168)), "auto") == window


@pytest.mark.parametrize(
    ("seasons", "count", "message"),
    [
        ((24,), 336, "window: 48 readings; a window of 168 needs 672 for training, and there are 201"),
        (
            (24,),
            960,
            "window: 48 readings; a window of 168 needs 672 for training, and there are 572."
            " --test-share 0 gives enough, without an evaluation.",
        ),
        ((5,), 336, "window: 48 readings"),
        ((), 336, "window: 48 readings, because no season was found"),
    ],
)
def test_auto_says_why_the_window_stays_short(
    seasons: tuple[int, ...], count: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    readings = TimeSeries("hours", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(3600), np.zeros(count))
    assert chosen_window([readings], TrainingSettings(seasons=seasons), "auto") == 48
    assert capsys.readouterr().err.strip() == message
