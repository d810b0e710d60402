"""Durations such as PT5M and P1Y, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.step import Step


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("PT5M", {"step_s": 300}),
        ("PT1H", {"step_s": 3600}),
        ("PT0.25S", {"step_s": 0.25}),
        ("PT0,5S", {"step_s": 0.5}),
        ("P1D", {"step_s": 86_400}),
        ("P7D", {"step_s": 604_800}),
        ("P2W", {"step_s": 1_209_600}),
        ("P1DT12H", {"step_s": 129_600}),
        ("P1M", {"step": "P1M"}),
        ("P2M", {"step": "P2M"}),
        ("P12M", {"step": "P1Y"}),
        ("P1Y6M", {"step": "P18M"}),
    ],
)
def test_parses_durations(text: str, data: dict[str, object]) -> None:
    assert Step.of({"step": text}).as_json() == Step.parse(text).as_json() == data


STEPS = st.integers(1, 60).map(Step.of_months) | st.integers(1, 10**10).map(
    lambda ms: Step.seconds(ms / 1000)
)


@given(STEPS)
def test_formatted_durations_parse_to_the_same_step(step: Step) -> None:
    assert Step.parse(str(step)) == step
