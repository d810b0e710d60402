from __future__ import annotations

from typing import Any

import orjson

from fncast.dashboard.events.names import MAX_NAME
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.state import PageState
from tests.fncast.dashboard.page_calls import shown_names


def test_long_names_and_ids_are_cut_and_stay_different(page_state: PageState, make: Any) -> None:
    for number in range(60):
        name = "x" * 900_000 + str(number)
        page_state.add(make.window([1, 2], series=name, event_id=name), 0.0)
        page_state.add(make.forecast([3], 2, series=name, event_id="f" + name, cause=name, model=name), 0.0)
        page_state.add(make.outage(route=name, source=name), 0.0)
        headers: list[tuple[str, bytes | None]] = [("fncast-reason", name.encode())]
        letter = make.window([1], series=name, event_id=name)
        page_state.add(
            ReceivedRecord("dead-letters", 0, 0, 0.0, letter.value, [*letter.headers, *headers]), 0.0
        )
    state = page_state.snapshot(0.0)
    assert len({item["name"] for item in state["series"]}) == 60
    assert all(len(item["name"]) <= MAX_NAME for item in state["series"])
    assert all(item["forecast"] for item in state["series"])
    assert len(orjson.dumps(state)) < 200_000


def test_unprintable_characters_in_names_are_replaced(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2], series="a\u202eb\r\nc"), 0.0)
    [name] = shown_names(page_state)
    assert name.isprintable()
    assert name.startswith("a\N{REPLACEMENT CHARACTER}b c #")
