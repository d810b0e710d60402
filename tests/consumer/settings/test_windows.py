"""The settings of [windows]."""

import pytest

from consumer.settings import SettingsError, WindowSettings, load
from consumer.settings.windows import parse_step
from fncast.series.step import Step


def test_windows_are_set_by_variables(write):
    environ = {"FNCAST_WINDOWS__STEP": "5m", "FNCAST_WINDOWS__MIN": "-1.5", "FNCAST_WINDOWS__EVERY": "3"}
    assert load(write(""), environ).windows == WindowSettings(step="5m", min=-1.5, every=3)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("auto", None),
        ("60s", Step.seconds(60)),
        ("250ms", Step.seconds(0.25)),
        ("9ms", Step.seconds(0.009)),
        ("4.1m", Step.seconds(246)),
        ("1.1h", Step.seconds(3960)),
        ("5m", Step.seconds(300)),
        ("1.5h", Step.seconds(5400)),
        ("7d", Step.seconds(604_800)),
        ("PT1H", Step.seconds(3600)),
        ("P1M", Step.of_months(1)),
    ],
)
def test_a_step_is_short_or_iso_8601(text, step):
    assert parse_step(text) == step


def test_a_wrong_variable_of_windows_is_named(write):
    with pytest.raises(SettingsError, match="FNCAST_WINDOWS__MAX: 'much' is not a number"):
        load(write(""), {"FNCAST_WINDOWS__MAX": "much"})
