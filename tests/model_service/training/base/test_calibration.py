from typing import Any

import numpy as np
import pytest

from model_service.training.base.calibration import knot_factors
from model_service.training.base.shape import QUANTILES


def test_calibration_makes_quantiles_hold_their_share() -> None:
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(4000, 2))
    narrow: Any = np.broadcast_to(np.linspace(-0.4, 0.4, 9), (4000, 2, 9))
    factors = knot_factors(narrow, targets)
    widths = 0.1 * factors
    low, high = -widths[:4].sum(), widths[4:].sum()
    assert ((targets > low) & (targets < high)).mean() == pytest.approx(0.8, abs=0.03)
    inner = (targets > -widths[3]) & (targets < widths[4])
    assert inner.mean() == pytest.approx(QUANTILES[5] - QUANTILES[3], abs=0.03)
