"""Where the measured steps of the forecasts of one model are kept: for each lead a ring by the forecast's start."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fncast.monitor.accuracy.leads import measured_leads

Int64Array = NDArray[np.int64]


class LeadRings(NamedTuple):
    """The rings of all measured leads, one after the other in one array.

    steps: (leads,) each lead minus 1, so 0 for a forecast's first step. sizes, offsets: (leads,) of the rings. size: of
    all rings together.

    At the lead `n`, a new forecast comes with each step, and each waits `n` steps for its reading. So the ring of this
    lead has room for `n` forecasts and `extra` more.
    """

    steps: Int64Array
    sizes: Int64Array
    offsets: Int64Array
    size: int


@lru_cache(64)
def lead_rings(horizon: int, extra: int) -> LeadRings:
    """The rings of forecasts with at most `horizon` steps. extra: how many forecasts each keeps beyond its lead."""
    steps = measured_leads(horizon) - 1
    sizes = steps + 1 + extra
    return LeadRings(steps, sizes, np.cumsum(sizes) - sizes, int(sizes.sum()))
