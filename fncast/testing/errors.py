"""The failures of a test that runs fncast in its process."""

from __future__ import annotations


class NotProcessed(AssertionError):
    """Some inputs have no outcome in time. The text holds what is known about the reason."""


class ConsumerStopped(AssertionError):
    """The consumer did not start, or stopped. The cause is the exception that ended it."""
