"""The ids of recent events."""

from __future__ import annotations

from fncast.dashboard.events.names import MAX_NAME
from fncast.dashboard.events.recent_ids import RecentIds


def test_an_id_is_known_once_it_was_added() -> None:
    ids = RecentIds(3)
    assert "a" not in ids
    ids.add("a")
    assert "a" in ids


def test_the_oldest_id_is_forgotten_beyond_the_limit() -> None:
    ids = RecentIds(2)
    for event_id in ("a", "b", "a", "c"):
        ids.add(event_id)
    assert [event_id in ids for event_id in ("a", "b", "c")] == [False, True, True]


def test_long_ids_stay_different() -> None:
    ids = RecentIds(2)
    ids.add("x" * MAX_NAME * 2 + "1")
    assert "x" * MAX_NAME * 2 + "1" in ids
    assert "x" * MAX_NAME * 2 + "2" not in ids
