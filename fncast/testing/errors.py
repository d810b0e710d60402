"""The failures of a test that runs fncast in its process."""

from __future__ import annotations


class NotProcessed(AssertionError):
    """Some inputs had no outcome in time. The text gives the reason, as far as it is known."""


class ConsumerStopped(AssertionError):
    """The consumer did not start, or stopped. The cause is the exception that ended it."""
