from __future__ import annotations

from typing import Any

from fncast.dashboard.figures.outages import FORGET_S
from fncast.dashboard.state import PageState


def outages(page_state: PageState, now_s: float) -> Any:
    return page_state.take_changes(now_s)["totals"]["outages"]


def test_a_route_is_out_until_its_consumer_reports_its_end(page_state: PageState, make: Any) -> None:
    page_state.add(make.outage(), 100.0)
    assert outages(page_state, 101.0) == [{"route": "forecast", "since": "2024-05-01", "reason": "502"}]
    page_state.add(make.outage(over=True), 102.0)
    assert outages(page_state, 103.0) == []


def test_a_route_that_two_consumers_report_is_listed_once_until_both_report_its_end(
    page_state: PageState, make: Any
) -> None:
    page_state.add(make.outage(), 100.0)
    page_state.add(make.outage(source="/fncast/b", since="2024-04-30"), 100.0)
    assert [item["since"] for item in outages(page_state, 101.0)] == ["2024-04-30"]
    page_state.add(make.outage(source="/fncast/b", over=True), 101.0)
    assert [item["since"] for item in outages(page_state, 101.0)] == ["2024-05-01"]


def test_an_outage_that_is_not_repeated_is_forgotten(page_state: PageState, make: Any) -> None:
    page_state.add(make.outage(), 100.0)
    assert outages(page_state, 100.0 + FORGET_S) != []
    assert outages(page_state, 101.0 + FORGET_S) == []
    page_state.add(make.outage(is_live=False), 200.0)  # from the history: written at 0
    assert outages(page_state, 200.0) == []
