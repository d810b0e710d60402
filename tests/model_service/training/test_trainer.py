from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from model_service.training.dataset import TooLittleData
from model_service.training.generator import generate
from model_service.training.model_folder import weights_sha256
from model_service.training.settings import TrainingSettings
from model_service.training.trainer import Epoch, Trained, train
from series.series import Series
from series.step import Step


def test_the_error_falls_below_the_naive_one(trained: Trained) -> None:
    first, last = trained.history[0], trained.history[-1]
    assert last.validation_error < first.validation_error
    assert min(epoch.validation_error for epoch in trained.history) < 0.7 * last.naive_error


def test_equal_seeds_give_equal_weights(tiny_settings: TrainingSettings) -> None:
    settings = replace(tiny_settings, epochs=1, steps_per_epoch=5)
    series = generate(10, 150, 12, seed=1)
    first, again = (weights_sha256(train(series, settings).network) for _ in range(2))
    assert first == again
    assert weights_sha256(train(series, replace(settings, seed=5)).network) != first


def test_an_interrupt_keeps_the_best_so_far(tiny_settings: TrainingSettings) -> None:
    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    result = train(generate(10, 150, 12, seed=1), replace(tiny_settings, epochs=50), interrupt)
    assert (result.stopped, len(result.history)) == ("interrupted", 2)
    assert result.best_epoch in (1, 2)


def test_stops_when_the_error_falls_no_more(tiny_settings: TrainingSettings) -> None:
    noise = np.random.default_rng(0).normal(size=400)
    series = [Series("noise", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(1.0), noise)]
    settings = replace(tiny_settings, epochs=40, patience=2, learning_rate=0.05)
    result = train(series, settings)
    assert result.stopped == "early"
    assert len(result.history) == result.best_epoch + 2


def test_the_test_part_is_never_seen(tiny_settings: TrainingSettings) -> None:
    settings = replace(tiny_settings, epochs=1, steps_per_epoch=5)
    series = generate(5, 200, 12, seed=1)
    spoiled = []
    for one in series:
        values = one.values.copy()
        values[-60:] = np.nan  # 30 % of 200
        spoiled.append(replace(one, values=values))
    trained_hash = weights_sha256(train(series, settings).network)
    assert trained_hash == weights_sha256(train(spoiled, settings).network)


def test_too_short_series(tiny_settings: TrainingSettings) -> None:
    with pytest.raises(TooLittleData, match="no window of 24 readings with 6 to forecast"):
        train(generate(3, 30, 12, seed=1), tiny_settings)
