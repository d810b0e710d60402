from __future__ import annotations

import pytest

from fncast.dashboard.series.silence import SilenceDetector


@pytest.mark.parametrize(
    ("event_times_s", "step_s", "silent_after_s"),
    [
        ([0.0], 3600.0, 10_800.0),  # one event: the step counts as the gap
        ([0.0], 1.0, 300.0),
        ([n * 0.25 for n in range(20)], 3600.0, 300.0),  # hours, replayed fast
        ([n * 600.0 for n in range(20)], 1.0, 1800.0),  # each event holds ten minutes
        ([0.0, 50.0, 20.0], 1.0, 300.0),  # an older event
    ],
)
def test_a_series_is_silent_after_three_times_its_usual_gap(
    event_times_s: list[float], step_s: float, silent_after_s: float
) -> None:
    silence = SilenceDetector()
    for at_s in event_times_s:
        silence.add(at_s)
    assert silence.limit_s(step_s) == silent_after_s
    assert silence.last_s == max(event_times_s)
