"""Shared by the tests of state: short pauses between attempts."""

from __future__ import annotations

import pytest

from consumer.state import partition_restore, restorer


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(restorer, "RETRY_S", 0.01)
    monkeypatch.setattr(partition_restore, "CHECK_S", 0.01)
