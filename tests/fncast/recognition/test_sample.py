"""A sample of a topic's records."""

from __future__ import annotations

import pytest

from fncast.recognition.sample import MAX_TOPIC_CHARACTERS, Sample, clean_topic
from tests.fncast.recognition.samples import record


@pytest.mark.parametrize(
    ("keys", "has_keys"), [([b"a", b"b"], True), ([b"a", None], False), ([b"", b"a"], True), ([None], False)]
)
def test_a_topic_has_keys_if_every_record_has_one(keys: list[bytes | None], has_keys: bool) -> None:
    records = [record({"v": 1}, number, key=key) for number, key in enumerate(keys)]
    assert Sample("readings", 1, len(records), records).has_keys is has_keys


def test_the_name_of_a_topic_is_shown_cleaned_and_whole() -> None:
    longest = "x" * MAX_TOPIC_CHARACTERS
    assert clean_topic(longest) == longest
    assert clean_topic("\x1b[2Jtopic").isprintable()
