"""Durations such as PT5M and P1Y, read and written."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fncast.series.duration import format_months, format_seconds, parse_duration
from fncast.series.step import MAX_STEP_S, MIN_STEP_S, Step


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
def test_a_duration_is_read_as_a_step(text: str, data: dict[str, object]) -> None:
    assert Step.of({"step": text}).as_json() == Step.parse(text).as_json() == data


STEPS = st.integers(1, 60).map(Step.of_months) | st.floats(MIN_STEP_S, MAX_STEP_S).map(Step.seconds)


@given(STEPS)
@example(Step.seconds(1 / 3))
@example(Step.seconds(MIN_STEP_S))
@example(Step.seconds(MAX_STEP_S))
def test_formatted_durations_parse_to_the_same_step(step: Step) -> None:
    assert Step.parse(str(step)) == step


@pytest.mark.parametrize(
    ("text", "months", "seconds"),
    [
        ("P1Y2M", 14, 0),
        ("P1W", 0, 604_800),
        ("PT1H30M", 0, 5400),
        ("PT0,25S", 0, 0.25),
        ("P1DT1S", 0, 86_401),
    ],
)
def test_a_duration_has_months_and_seconds(text: str, months: int, seconds: float) -> None:
    assert parse_duration(text) == (months, seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1H", "1D", "P-1D", "PT1.5M", "p1d", "P1D " + "x" * 1000])
def test_a_text_that_is_not_a_duration_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 duration such as PT5M") as caught:
        parse_duration(text)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (604_800, "P7D"),
        (5400, "PT90M"),
        (7200, "PT2H"),
        (0.25, "PT0.25S"),
        (61, "PT61S"),
        (1e-5, "PT0.00001S"),
    ],
)
def test_seconds_are_written_in_the_largest_unit_that_divides_them(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(("months", "text"), [(1, "P1M"), (12, "P1Y"), (18, "P18M"), (24, "P2Y")])
def test_months_are_written_as_years_if_they_are_whole(months: int, text: str) -> None:
    assert format_months(months) == text
