"""The errors of a call of a function."""

from __future__ import annotations


class NotStarted(Exception):
    """The process ended before it listened, or did not listen in time."""


class Busy(Exception):
    """Too many calls wait, or a call has waited for the function's whole timeout."""


class CallFailed(Exception):
    """The process ended, closed the connection, or sent an invalid response."""


class CallTimedOut(Exception):
    """The function exceeded its timeout and its process was killed."""
