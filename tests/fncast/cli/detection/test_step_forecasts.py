"""The forecasts of all readings of a series, with a model that shows its window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fncast.cli.detection import local_model, step_forecasts
from fncast.cli.detection.local_model import LocalModel, open_model
from fncast.cli.detection.step_forecasts import forecast_parts

WINDOW, HORIZON, BATCH = 12, 4, 16


class Slope:
    """A runtime: continues the difference of the window's ends."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        windows = inputs["windows"]
        assert windows.shape == (BATCH, WINDOW)
        assert not np.isnan(windows).any()
        slope = np.where(windows[:, :1] > 1e19, 0.5, -windows[:, :1])
        steps = np.arange(HORIZON)[:, np.newaxis] + np.array([0.0, 0.25, 0.5])
        return {"forecast": (slope[:, :, np.newaxis] * steps).astype(np.float32)}


@pytest.fixture(params=[True, False], ids=["short windows", "whole windows"])
def model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalModel:
    monkeypatch.setattr(local_model, "open_runtime", lambda path, is_unverified: Slope())
    monkeypatch.setattr(local_model, "BATCH", BATCH)
    monkeypatch.setattr(step_forecasts, "BATCH", BATCH)
    folder = tmp_path / "forecast" / "1"
    folder.mkdir(parents=True)
    size = {"window": WINDOW, "horizon": HORIZON}
    sizes = {"sizes": [size], "missing": 1e20} if request.param else size
    (folder / "model.json").write_text(json.dumps({**sizes, "quantiles": [0.1, 0.5, 0.9]}))
    (folder / "model.tflite").write_bytes(b"x")
    return open_model(tmp_path, "forecast")


def one_by_one(model: LocalModel, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The near and the far forecasts, computed from each window alone."""
    near, far = np.full((2, len(values), 3), np.nan)
    for windows_numbers, windows in model.windows(values):
        for at, window in zip(windows_numbers.tolist(), windows, strict=True):
            (rows,) = model.quantile_forecasts(window[np.newaxis])[:, :, [1, 0, 2]]
            near[at] = rows[0]
            if at + HORIZON <= len(values):
                far[at + HORIZON - 1] = rows[-1]
    far[np.isnan(far)] = near[np.isnan(far)]
    return near, far


def test_parts_are_the_forecasts_of_each_window(model: LocalModel) -> None:
    rng = np.random.default_rng(0)
    gaps = rng.normal(size=100) * 3
    gaps[[0, 30, 31, 70]] = np.nan
    every = [rng.normal(size=length).cumsum() for length in (3, 40, BATCH + WINDOW)] + [gaps]
    found = [(number, part) for number, part in forecast_parts(model, every)]
    assert [number for number, _ in found] == sorted(number for number, _ in found)
    for number, values in enumerate(every):
        near, far = one_by_one(model, values)
        parts = [part for each, part in found if each == number]
        np.testing.assert_array_equal(np.concatenate([part.near for part in parts]), near)
        np.testing.assert_array_equal(np.concatenate([part.far for part in parts]), far)
    assert np.isnan(found[0][1].near).all()
    assert not np.isnan(found[-1][1].near).any()
