"""Which dead letters a filter selects."""

from __future__ import annotations

from datetime import UTC, datetime

from consumer.kafka.dead_letters.filter import DeadLetterFilter
from tests.consumer.kafka.dead_letters.letters import letter


def test_a_place_selects_one_letter() -> None:
    only = DeadLetterFilter(place="0/3")
    assert letter(offset=3) in only
    assert letter(offset=4) not in only


def test_a_letter_without_a_valid_time_is_not_since_any_time() -> None:
    assert letter(timestamp_ms=2**62) not in DeadLetterFilter(since=datetime(2000, 1, 1, tzinfo=UTC))


def test_the_case_of_a_reason_does_not_matter() -> None:
    rejected = letter(("fncast-reason", b"No Window"))
    assert rejected in DeadLetterFilter(reason="no wINDOW")
    assert rejected not in DeadLetterFilter(reason="no value")


def test_each_filter_has_a_name_for_its_progress() -> None:
    assert DeadLetterFilter().name() == "all"
    assert DeadLetterFilter(place="0/3").name() != DeadLetterFilter(place="0/4").name() != "all"
    assert DeadLetterFilter("r", "d").name("2h") == DeadLetterFilter("r", "d", place="").name("2h")
