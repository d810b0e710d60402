import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base.shape import MISSING_KNOTS, history_knots
from model_service.training.base.widening import Widening

WINDOW = 64


def mask(history: int, missing: int) -> list[float]:
    """A window that begins with a known reading and has `missing` in its middle."""
    gone = [1.0, *[0.0] * missing, *[1.0] * (history - missing - 1)]
    return [0.0] * (WINDOW - history) + gone


def test_the_band_is_widened_by_history_and_by_missing_readings() -> None:
    layer = Widening()
    windows = [mask(8, 0), mask(64, 0), mask(20, 0), mask(32, 16), mask(32, 8)]
    masks = np.array(windows, dtype=np.float32)
    assert np.asarray(layer(masks)) == pytest.approx(1.0)
    by_history = np.linspace(2.0, 1.0, len(history_knots(WINDOW)), dtype=np.float32)
    by_missing = np.array([1.0, 1.1, 1.2, 1.5], dtype=np.float32)
    layer.by_history.assign(by_history[:, np.newaxis])
    layer.by_missing.assign(by_missing[:, np.newaxis])
    short, whole, between, half, quarter = np.asarray(layer(masks))[:, 0]
    assert (short, whole) == pytest.approx((2.0, 1.0))
    assert by_history[3] < between < by_history[2]
    assert half == pytest.approx(by_missing[-1] * by_history[2])
    assert quarter == pytest.approx(by_missing[2] * by_history[3])
    assert MISSING_KNOTS[2] == 0.25
