"""The leads at which accuracy is measured: every short one, and some of the long ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Up to 24 steps ahead every lead is measured, up to 96 every 8th, and up to 512 every 32nd.
SPACINGS = ((24, 1), (96, 8), (512, 32))


def _measured() -> Iterator[tuple[int, float]]:
    lead = 0
    for last, spacing in SPACINGS:
        while lead < last:
            lead += spacing
            yield lead, float(spacing)


# In ascending order; 1 is a forecast's first step.
LEADS: NDArray[np.int64] = np.array([lead for lead, _ in _measured()])
# An outcome at a measured lead also stands for the leads between it and the measured lead before it.
WEIGHTS: NDArray[np.float64] = np.array([weight for _, weight in _measured()])


def measured_leads(horizon: int) -> NDArray[np.int64]:
    """The measured leads of a forecast with `horizon` steps: (n,), ascending."""
    return LEADS[: int(LEADS.searchsorted(horizon, side="right"))]
