"""The globs that choose the series whose anomalies are reported."""

from __future__ import annotations

import pytest

from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.rules import MonitorRules


def test_every_series_is_reported_by_default() -> None:
    assert MonitorRules().detects("web-1.cpu")


@pytest.mark.parametrize(
    ("series", "is_reported"),
    [("web-1.cpu", True), ("db-1.cpu", True), ("web-1.disk", False), ("web-1.test.cpu", False)],
)
def test_a_series_is_reported_if_a_glob_includes_it_and_none_excludes_it(
    series: str, is_reported: bool
) -> None:
    rules = MonitorRules(include=("web-*.cpu", "db-*"), exclude=("*.test.*",))
    assert rules.detects(series) is is_reported


def test_globs_distinguish_upper_and_lower_case() -> None:
    assert not MonitorRules(include=("Web-*",)).detects("web-1")
    assert MonitorRules(exclude=("Web-*",)).detects("web-1")


def test_a_series_has_the_alert_rules_that_match_it() -> None:
    web, every = AlertRule("web", "web-*", above=1.0), AlertRule("every", above=2.0)
    rules = MonitorRules(alerts=(web, every))
    assert (rules.alerts_of("web-1.cpu"), rules.alerts_of("db-1.cpu")) == ([web, every], [every])
