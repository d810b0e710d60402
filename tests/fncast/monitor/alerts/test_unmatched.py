"""Alert rules that match no series are logged once."""

from __future__ import annotations

import asyncio
import logging

import pytest

from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.alerts.unmatched import AFTER_S, report_unmatched

RULES = [AlertRule("disk-full", "web-*.disk", above=90.0), AlertRule("hot", "*.cpu", above=55.0)]


def logged(caplog: pytest.LogCaptureFixture, known: dict[float, list[str]]) -> list[tuple[float, str]]:
    """What is logged, with its time. known: the series from a time on, in seconds since the start."""
    now_s, found = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now_s
        found.extend((now_s, record.getMessage()) for record in caplog.records)
        caplog.clear()
        now_s += seconds

    def series() -> list[str]:
        return known[max(time_s for time_s in known if time_s <= now_s)]

    async def run() -> None:
        await asyncio.wait_for(report_unmatched(RULES, series, lambda: now_s, sleep), 10)

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    return found + [(now_s, record.getMessage()) for record in caplog.records]


def test_a_rule_without_series_is_logged_once_after_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    ((time_s, text),) = logged(caplog, {0: [], 120: ["web-1.cpu", "db-1.disk"]})
    assert time_s == AFTER_S
    assert 'alert rule "disk-full": no series has matched "web-*.disk"' in text
    assert "knows 2 series" in text


def test_a_rule_whose_series_has_moved_to_another_process_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert logged(caplog, {0: [], 120: ["web-1.cpu", "web-1.disk"], 240: []}) == []


def test_without_series_all_rules_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert len(logged(caplog, {0: []})) == 2
