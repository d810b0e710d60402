"""Dead letters that another program wrote: only what can be trusted is taken from their headers."""

from __future__ import annotations

import json

import pytest

from fncast.cli.output.dead_letters import json_line, line
from tests.consumer.kafka.dead_letters.letters import letter


@pytest.mark.parametrize("digits", [b"9" * 5000, b"-1", b"1e3", b"many", "٣".encode(), b"\x1b[2J"])
def test_attempts_that_are_not_a_number_are_shown_as_text(digits: bytes) -> None:
    shown = letter(("fncast-attempts", digits))
    assert isinstance(shown.attempts, str)
    assert len(shown.attempts) <= 64
    assert f"{shown.attempts} attempts" in line(shown)
    assert json.loads(json_line(shown))["attempts"] == shown.attempts


def test_attempts_are_a_number_where_the_header_is_one() -> None:
    assert letter(("fncast-attempts", b"12")).attempts == 12
    assert letter().attempts == 0


@pytest.mark.parametrize("partition", [b"9" * 5000, b"-1", b"x"])
def test_an_invalid_partition_is_chosen_by_the_key(partition: bytes) -> None:
    assert letter(("fncast-partition", partition)).partition is None


@pytest.mark.parametrize("timestamp_ms", [-1, 2**62, -(2**62)])
def test_an_invalid_time_is_not_shown(timestamp_ms: int) -> None:
    shown = letter(timestamp_ms=timestamp_ms)
    assert shown.refused_at is None
    assert "  -  " in line(shown)
