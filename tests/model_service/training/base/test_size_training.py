from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base import size_training
from model_service.training.base.network import build_base_network
from model_service.training.base.pool import SeriesPool, generated, generated_unseen
from model_service.training.base.shape import LONG, SHORT
from model_service.training.base.size_training import CALIBRATION_FROM, set_bands, state_folder


def test_a_run_does_not_continue_one_with_another_seed_or_other_steps(tmp_path: Path) -> None:
    runs = {state_folder(tmp_path, SHORT, 0, 6_000), state_folder(tmp_path, SHORT, 1, 6_000)}
    runs |= {state_folder(tmp_path, SHORT, 0, 100), state_folder(tmp_path, LONG, 0, 100)}
    assert len(runs) == 4


def test_half_of_the_series_that_set_the_widening_are_of_kinds_never_trained_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = []
    monkeypatch.setattr(size_training, "CALIBRATION_SERIES", 3)
    monkeypatch.setattr(size_training, "CALIBRATION_EXAMPLES", 200)
    monkeypatch.setattr(size_training, "calibrate_widening", lambda *parts: given.append(parts))
    network: Any = build_base_network(SHORT)
    set_bands(network, SHORT, 5)
    [(_, _, pool, _)] = given
    seen = SeriesPool(5, CALIBRATION_FROM, 3, generated).series
    unseen = SeriesPool(5, CALIBRATION_FROM, 3, generated_unseen).series
    np.testing.assert_array_equal(pool, np.concatenate([seen, unseen]))
