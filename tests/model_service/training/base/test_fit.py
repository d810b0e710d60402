import shutil
from pathlib import Path

import numpy as np
import pytest

from model_service.training.base import fit as fitting
from model_service.training.base.fit import (
    CHUNK,
    FitProgress,
    fit,
    learning_rates,
    loss_on,
    validation_examples,
)
from model_service.training.base.shape import SHORT

# An untrained network has 0.435 on these examples.
STATED_LOSS = 0.42


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "SERIES", 200)
    monkeypatch.setattr(fitting, "GAPS", 200)
    monkeypatch.setattr(fitting, "RENEWED", 5)
    monkeypatch.setattr(fitting, "WARM_UP", 10)
    monkeypatch.setattr(fitting, "VALIDATION_SERIES", 100)
    monkeypatch.setattr(fitting, "VALIDATION_EXAMPLES", 500)
    monkeypatch.setitem(fitting.BATCH, SHORT.window, 64)


@pytest.mark.usefixtures("small")
def test_a_short_run_reaches_the_stated_loss_and_a_stopped_one_gives_the_same_weights(tmp_path: Path) -> None:
    seen: list[FitProgress] = []

    def keep(progress: FitProgress) -> None:
        if not seen:  # what a run leaves behind that is stopped now
            shutil.copytree(tmp_path / "whole", tmp_path / "stopped")
        seen.append(progress)

    network = fit(SHORT, 2 * CHUNK, 0, tmp_path / "whole", keep, validate_every=1)
    assert [progress.step for progress in seen] == [CHUNK, 2 * CHUNK]
    loss = loss_on(network, validation_examples(SHORT, 0))
    assert loss == pytest.approx(seen[-1].validation, rel=1e-4)
    assert loss < STATED_LOSS
    resumed = fit(SHORT, 2 * CHUNK, 0, tmp_path / "stopped", seen.append)
    assert [progress.step for progress in seen] == [CHUNK, 2 * CHUNK, 2 * CHUNK]
    for weights, after_a_stop in zip(network.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, after_a_stop)


@pytest.mark.parametrize("steps", [CHUNK, fitting.WARM_UP, 6_000])
def test_the_learning_rate_ends_small_in_a_run_of_any_length(steps: int) -> None:
    rates = learning_rates(steps)
    assert float(rates(min(fitting.WARM_UP, steps // 2))) == pytest.approx(fitting.RATE)
    assert float(rates(steps)) == pytest.approx(fitting.FINAL_RATE * fitting.RATE)
