"""Where the steps of forecasts are kept: one ring for each measured lead."""

from __future__ import annotations

import pytest

from fncast.monitor.accuracy.leads import measured_leads
from fncast.monitor.joining.lead_rings import lead_rings


@pytest.mark.parametrize("horizon", [1, 24, 96])
def test_each_measured_lead_has_a_ring_with_room_for_its_waiting_forecasts(horizon: int) -> None:
    rings = lead_rings(horizon, extra=3)
    assert (rings.steps + 1).tolist() == measured_leads(horizon).tolist()
    assert rings.sizes.tolist() == [lead + 3 for lead in measured_leads(horizon).tolist()]


def test_rings_follow_each_other_without_a_gap() -> None:
    rings = lead_rings(96, extra=3)
    ends = rings.offsets + rings.sizes
    assert rings.offsets.tolist() == [0, *ends[:-1].tolist()]
    assert ends[-1] == rings.size
