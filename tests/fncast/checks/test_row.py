"""The table of `fncast check`."""

from __future__ import annotations

import json

from fncast.checks.row import Row, json_lines, table

ROWS = [Row("broker", "ok", "it answers"), Row("topic a\nb", "failed", "\x1b[2Jgone", "create it")]


def test_a_fix_stands_below_its_row():
    assert table(ROWS) == [
        "hop        result     what was found",
        "broker     ok         it answers",
        "topic a b  failed     \N{REPLACEMENT CHARACTER}gone",
        "                      fix: create it",
    ]


def test_a_row_is_one_json_line():
    [first, second] = json_lines(ROWS)
    assert json.loads(first) == {"hop": "broker", "result": "ok", "detail": "it answers", "fix": ""}
    assert second.isprintable()
    assert json.loads(second)["hop"] == "topic a\nb"
