from typing import Any

import numpy as np
import pytest

from model_service.training.network import build_network, segment_steps
from model_service.training.settings import CELLS, TrainingSettings
from model_service.training.trained import predict


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize(
    ("window", "horizon", "seasons"),
    [(4, 1, ()), (47, 5, (7,)), (100, 30, (24, 48, 100)), (336, 48, (48, 336))],
)
def test_a_network_of_any_shape_forecasts(
    cell: Any, window: int, horizon: int, seasons: tuple[int, ...]
) -> None:
    settings = TrainingSettings(window=window, horizon=horizon, seasons=seasons, units=8, cell=cell)
    network = build_network(settings)
    answer = predict(network, np.random.default_rng(0).normal(size=(3, window)).astype(np.float32))
    assert answer.shape == (3, horizon, 3)
    assert np.isfinite(answer).all()


@pytest.mark.parametrize(
    ("window", "horizon", "seasons"),
    [
        (672, 48, (48, 336)),
        (336, 96, (24, 168)),
        (700, 96, (350,)),
        (700, 96, (4, 350)),
        (700, 168, (24, 168)),
        (48, 336, (24,)),
        (2016, 96, (288,)),
        (10_000, 12, ()),
        pytest.param(10_000, 2_000, (4,), marks=pytest.mark.slow),
        pytest.param(4, 2_000, (), marks=pytest.mark.slow),
    ],
)
def test_weights_stay_below_100_000(window: int, horizon: int, seasons: tuple[int, ...]) -> None:
    settings = TrainingSettings(window=window, horizon=horizon, seasons=seasons, cell="lstm")
    assert build_network(settings).count_params() < 100_000


def test_lstm_cells_have_the_most_weights() -> None:
    weights = {cell: build_network(TrainingSettings(cell=cell)).count_params() for cell in CELLS}
    assert max(weights, key=lambda cell: weights[cell]) == "lstm"


def test_the_default_network_is_small() -> None:
    assert build_network(TrainingSettings()).count_params() < 60_000


def test_segments_are_whole_seasons() -> None:
    assert segment_steps(48, ()) == 16
    assert segment_steps(168, (24,)) == 24
    assert segment_steps(1000, (24,)) == 72  # at most 14 segments
    assert segment_steps(700, (350,)) == 50  # a season of 350 is too long for a segment
