"""At which leads accuracy is measured."""

from __future__ import annotations

import pytest

from fncast.monitor.accuracy.leads import LEADS, WEIGHTS, measured_leads


@pytest.mark.parametrize(
    ("horizon", "count", "last"), [(1, 1, 1), (24, 24, 24), (31, 24, 24), (96, 33, 96), (512, 46, 512)]
)
def test_short_leads_are_all_measured_and_long_ones_in_part(horizon: int, count: int, last: int) -> None:
    leads = measured_leads(horizon)
    assert (len(leads), leads[-1]) == (count, last)


def test_the_weights_are_the_distances_of_the_leads() -> None:
    assert WEIGHTS.tolist() == [after - before for before, after in zip([0, *LEADS], LEADS, strict=False)]
