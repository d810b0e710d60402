"""Steps of a series as settings take them."""

from __future__ import annotations

import pytest

from consumer.settings.windows import parse_step
from fncast.recognition.observed_series import short_step


@pytest.mark.parametrize("seconds", [1e-6, 0.25, 1, 10, 90, 300, 3_600, 86_400, 604_800, 857_260_999])
def test_a_step_is_written_as_settings_take_it(seconds):
    step = parse_step(short_step(seconds))
    assert step is not None
    assert step.period_s == seconds
