"""Shared by the tests of calls: short waits between attempts."""

import pytest

from interceptor.routes import backoff


@pytest.fixture
def short_backoff(monkeypatch):
    """Wait milliseconds instead of seconds."""
    monkeypatch.setattr(backoff, "BASE_S", 0.0005)
    monkeypatch.setattr(backoff, "MAX_S", 0.002)
