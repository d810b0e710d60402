from __future__ import annotations

from typing import Any

from fncast.dashboard.series.series_list import MAX_SERIES
from fncast.dashboard.state import PageState
from tests.fncast.dashboard.page_calls import shown_names


def test_the_first_series_keep_their_places_among_a_thousand(page_state: PageState, make: Any) -> None:
    for turn in range(3):
        for number in range(1000):
            page_state.add(
                make.window([1, 2], series=f"s{number}", timestamp_s=float(turn)), now_s=float(turn)
            )
    assert shown_names(page_state) == {f"s{number}" for number in range(MAX_SERIES)}
    assert page_state.snapshot(3.0)["totals"]["left_out"] == 1000 - MAX_SERIES
    assert "gone" not in page_state.take_changes(3.0)


def test_a_new_series_replaces_a_silent_one(page_state: PageState, make: Any) -> None:
    for at_s in (0.0, 1000.0):
        for number in range(MAX_SERIES):
            if at_s == 0.0 or number != 1:
                page_state.add(make.window([1, 2], series=f"s{number}", timestamp_s=at_s), at_s)
    now_s = 3 * 300.0 + 200.0  # s1: one event, of a step of 300 s
    page_state.add(make.window([1, 2], series="new", timestamp_s=now_s), now_s)
    assert "new" in shown_names(page_state)
    assert page_state.take_changes(now_s)["gone"] == ["s1"]
    assert page_state.snapshot(now_s)["totals"]["left_out"] == 0
