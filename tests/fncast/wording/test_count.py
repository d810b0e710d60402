"""Counts with their nouns."""

from __future__ import annotations

import pytest

from fncast.wording.count import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 dead letters"), (1, "1 dead letter"), (1200, "1,200 dead letters")]
)
def test_the_noun_agrees_with_the_count(count: int, text: str) -> None:
    assert counted(count, "dead letter") == text
