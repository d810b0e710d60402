"""Limits of values in the settings, and the check of a topic's name."""

from __future__ import annotations

import re

MAX_NUMBER = 1_000_000_000  # a larger number is a mistake

# Kafka's rule for names. `.` and `..` would be folders on the broker.
TOPIC_NAME = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}\Z")


def check_topic_name(setting: str, topic: str) -> None:
    """Raise ValueError, which begins with the setting's name, if Kafka does not accept the topic's name."""
    if not TOPIC_NAME.match(topic):
        raise ValueError(
            f"{setting} {topic[:64]!r} is not a topic name: use 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'"
        )
