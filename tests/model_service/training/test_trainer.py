from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from model_service.training.dataset import TooLittleData
from model_service.training.generated.generator import generate
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Epoch, Trained
from model_service.training.trainer import train
from model_service.training.version_writer import weights_sha256

# The network that is the fastest to trace: a training this short is mostly tracing.
MICRO = TrainingSettings(
    window=8, horizon=2, units=4, cell="rnn", epochs=1, steps_per_epoch=5, batch=16, patience=2
)
MICRO_SERIES = generate(5, 100, 4, seed=1)


def test_the_error_falls_below_the_naive_one(trained: Trained) -> None:
    first, last = trained.history[0], trained.history[-1]
    assert last.validation_error < first.validation_error
    assert min(epoch.validation_error for epoch in trained.history) < 0.7 * last.naive_error


@pytest.fixture(scope="module")
def micro_hash() -> str:
    return weights_sha256(train(MICRO_SERIES, MICRO).network)


def test_equal_seeds_give_equal_weights(micro_hash: str) -> None:
    assert weights_sha256(train(MICRO_SERIES, MICRO).network) == micro_hash
    assert weights_sha256(train(MICRO_SERIES, replace(MICRO, seed=5)).network) != micro_hash


def test_an_interrupt_keeps_the_best_so_far() -> None:
    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    result = train(MICRO_SERIES, replace(MICRO, epochs=50), interrupt)
    assert (result.stopped, len(result.history)) == ("interrupted", 2)
    assert result.best_epoch in (1, 2)


def test_stops_when_the_error_no_longer_falls() -> None:
    noise = np.random.default_rng(0).normal(size=400)
    series = [TimeSeries("noise", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(1.0), noise)]
    result = train(series, replace(MICRO, epochs=100, learning_rate=0.05))
    assert result.stopped == "early"
    assert len(result.history) == result.best_epoch + 2


def test_the_test_part_is_not_used(micro_hash: str) -> None:
    spoiled = []
    for original in MICRO_SERIES:
        values = original.values.copy()
        values[-30:] = np.nan  # 30 % of 100
        spoiled.append(replace(original, values=values))
    assert weights_sha256(train(spoiled, MICRO).network) == micro_hash


def test_too_short_series_are_rejected(tiny_settings: TrainingSettings) -> None:
    with pytest.raises(TooLittleData, match="no window of 24 readings with 6 to forecast"):
        train(generate(3, 30, 12, seed=1), tiny_settings)
