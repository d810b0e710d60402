"""The names of the last minute, by the times at which they were written."""

from __future__ import annotations

from fncast.dashboard.figures.recent_names import MAX_NAMES, RECENT_S, RecentNames


def names(*added: tuple[str, float]) -> RecentNames:
    found = RecentNames()
    for name, at_s in added:
        found.add(name, at_s)
    return found


def test_names_are_recent_for_a_minute_before_the_newest() -> None:
    found = names(("old", 0.0), ("b", 1.0), ("a", RECENT_S + 1.0))
    assert found.names() == ["a", "b"]
    assert found.last_s == RECENT_S + 1.0


def test_a_name_that_comes_late_does_not_become_older() -> None:
    found = names(("a", 100.0), ("a", 0.0), ("b", 100.0 + RECENT_S))
    assert found.names() == ["a", "b"]


def test_before_the_first_name_there_is_none() -> None:
    assert (RecentNames().names(), RecentNames().last_s) == ([], None)


def test_the_name_that_was_not_added_for_the_longest_is_dropped_first() -> None:
    found = names(*((f"{number:02}", 0.0) for number in range(MAX_NAMES)), ("00", 0.0), ("new", 0.0))
    assert len(found.names()) == MAX_NAMES
    assert "01" not in found.names()
    assert {"00", "new"} <= set(found.names())
