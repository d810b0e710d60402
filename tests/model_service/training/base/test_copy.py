from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast import models as base_models
from model_service.training.base.copy import copy_base
from model_service.training.base.forecaster import BaseForecaster

BASE = base_models.FOLDER / base_models.BASE / "1"


@pytest.mark.parametrize(("horizon", "windows"), [(24, [64, 512]), (25, [512])])
def test_a_copy_has_the_sizes_that_reach_the_horizon(
    horizon: int, windows: list[int], tmp_path: Path
) -> None:
    folder, written = copy_base(
        BASE, tmp_path, "forecast", horizon, {"season": 12}, {"validation_error": 0.5}
    )
    assert folder == tmp_path / "forecast" / "1"
    assert [size["window"] for size in written["sizes"]] == windows
    assert {path.name for path in folder.glob("*.tflite")} == {f"model-{window}.tflite" for window in windows}
    assert set(written["files_sha256"]) == {f"model-{window}.tflite" for window in windows}
    assert (written["season"], written["base_model"]["validation_error"]) == (12, 0.5)
    readings = np.sin(np.arange(60.0))[np.newaxis]
    expected = BaseForecaster(BASE).compared(readings, horizon)
    assert BaseForecaster(folder).compared(readings, horizon) == pytest.approx(expected)
