"""How many messages the demo shows."""

from __future__ import annotations

from fncast.demo.report import ReportLimit


def test_only_some_messages_are_shown_in_a_period() -> None:
    limit = ReportLimit(2, 10.0)
    assert [limit.allows(now_s) for now_s in (0.0, 5.0, 9.0, 10.0, 14.0, 15.0)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
