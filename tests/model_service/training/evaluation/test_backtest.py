import numpy as np

from model_service.training.evaluation.backtest import rolling_origins
from tests.model_service.training.series_of import series_of


def test_origins_roll_over_the_test_part() -> None:
    backtest = rolling_origins(series_of(range(100)), window=10, horizon=4, before=70, stride=4)
    assert backtest.at.tolist() == [70, 74, 78, 82, 86, 90, 94]
    assert backtest.windows[0].tolist() == list(range(60, 70))
    assert backtest.actuals[-1].tolist() == [94, 95, 96, 97]


def test_origins_with_too_many_gaps_are_left_out() -> None:
    values = np.arange(100.0)
    values[62:69] = np.nan
    values[80] = np.nan
    backtest = rolling_origins(series_of(values), window=10, horizon=4, before=70, stride=4)
    assert backtest.left_out == 1
    assert backtest.at[0] == 74
    assert backtest.windows[2].tolist() == [72, 73, 74, 75, 76, 77, 78, 79, 80, 81]  # bridged, as for events
