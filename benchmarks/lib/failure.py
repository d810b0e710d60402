"""The base of the errors that a measurement expects."""

from __future__ import annotations


class MeasurementFailed(Exception):
    """Something cannot be measured. The text says why, so the caller prints it without a traceback."""
