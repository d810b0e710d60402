"""A version of a model, applied to whole series."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fncast.cli.detection import local_model
from fncast.cli.detection.local_model import BATCH, LocalModel, open_model
from fncast.failure import Failure

WINDOW, HORIZON = 4, 3
DESCRIBED = {"window": WINDOW, "horizon": HORIZON, "quantiles": [0.1, 0.5, 0.9]}


class Steps:
    """A runtime: the forecast of a step is the last reading plus the number of the step, with a band of 0.5."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        steps = np.arange(1.0, HORIZON + 1)[:, np.newaxis] + np.array([-0.5, 0.0, 0.5])
        return {"forecast": np.broadcast_to(steps, (len(inputs["windows"]), HORIZON, 3))}


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "open_runtime", lambda path, is_unverified: Steps())


def write(models: Path, version: int, **members: Any) -> Path:
    folder = models / "forecast" / str(version)
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps(DESCRIBED | members))
    (folder / "model.tflite").write_bytes(b"x")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> LocalModel:
    write(tmp_path, 1)
    return open_model(tmp_path, "forecast")


def test_a_window_has_the_number_of_the_reading_after_it(model: LocalModel) -> None:
    [(numbers, windows)] = model.windows(np.arange(10.0))
    assert numbers.tolist() == list(range(WINDOW, 10))
    assert windows[0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert windows[-1].tolist() == [5.0, 6.0, 7.0, 8.0]


def test_the_windows_of_a_long_series_come_in_batches(model: LocalModel) -> None:
    batches = list(model.windows(np.arange(BATCH + WINDOW + 3.0)))
    assert [len(numbers) for numbers, _ in batches] == [BATCH, 3]
    assert np.concatenate([numbers for numbers, _ in batches]).tolist() == list(
        range(WINDOW, BATCH + WINDOW + 3)
    )


def test_after_a_missing_reading_there_is_no_window_until_a_reading_has_come(model: LocalModel) -> None:
    values = np.arange(20.0)
    values[10] = np.nan
    [(numbers, windows)] = model.windows(values)
    assert 11 not in numbers
    assert windows[numbers.tolist().index(12)].tolist() == [8.0, 9.0, 10.0, 11.0]  # the gap is bridged


def test_a_series_shorter_than_the_window_has_no_windows(model: LocalModel) -> None:
    assert list(model.windows(np.arange(float(WINDOW)))) == []


def test_the_ends_are_the_first_and_the_last_step_of_a_forecast(model: LocalModel) -> None:
    [ends], steps = model.first_and_last_steps(np.array([[10.0, 20.0, 30.0, 40.0]]))
    assert ends.tolist() == [[41.0, 40.5, 41.5], [43.0, 42.5, 43.5]]
    assert steps.tolist() == [HORIZON]


def test_a_short_history_is_forecast_by_the_smaller_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sizes:
        def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
            count, window = inputs["windows"].shape
            return {"forecast": np.full((count, {8: 2, 32: 6}[window], 3), float(window))}

    monkeypatch.setattr(local_model, "open_runtime", lambda path, is_unverified: Sizes())
    sizes = [{"window": 8, "horizon": 2}, {"window": 32, "horizon": 6}]
    write(tmp_path, 1, sizes=sizes, missing=1e20)
    windows = np.tile(np.arange(32.0), (2, 1))
    windows[0, :20] = np.nan
    ends, steps = open_model(tmp_path, "forecast").first_and_last_steps(windows)
    assert (ends[:, 0, 0] - windows[:, -1]).tolist() == [8, 32]
    assert steps.tolist() == [2, 6]


def test_any_number_of_windows_is_forecast_in_batches(model: LocalModel) -> None:
    windows = np.tile(1000 + np.arange(BATCH + 2.0)[:, np.newaxis], WINDOW)
    found = model.quantile_forecasts(windows)
    assert found.shape == (BATCH + 2, HORIZON, 3)
    np.testing.assert_allclose(found[:, 0, 1], np.arange(BATCH + 2.0) + 1001)


def test_the_newest_version_in_service_is_opened_unless_one_is_named(tmp_path: Path) -> None:
    write(tmp_path, 1)
    write(tmp_path, 2)
    (write(tmp_path, 3) / "retired").touch()
    assert str(open_model(tmp_path, "forecast")) == "forecast version 2"
    assert open_model(tmp_path, "forecast", 3).version == 3


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"window": 0}, "has no positive integer 'window'"),
        ({"horizon": "12"}, "has no positive integer 'horizon'"),
        ({"quantiles": []}, "has no list of numbers 'quantiles'"),
        ({"sizes": [{"window": 4, "horizon": 3}]}, "its 'sizes' cannot be read"),
    ],
)
def test_a_model_of_another_program_is_rejected_with_the_reason(
    tmp_path: Path, members: dict[str, Any], reason: str
) -> None:
    write(tmp_path, 1, **members)
    with pytest.raises(Failure, match=reason):
        open_model(tmp_path, "forecast")


def test_a_version_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="contains no version of a model"):
        open_model(tmp_path, "forecast")
    (write(tmp_path, 1) / "retired").touch()
    with pytest.raises(Failure, match="every version is retired; name one with --version"):
        open_model(tmp_path, "forecast")
    write(tmp_path, 2)
    with pytest.raises(Failure, match="no version 7; there are 1, 2"):
        open_model(tmp_path, "forecast", 7)
