"""Limits of values in the settings."""

from __future__ import annotations

import re

MAX_NUMBER = 1_000_000_000  # a larger number is a mistake

# Kafka's rule for names. `.` and `..` would be folders on the broker.
TOPIC_NAME = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}\Z")
