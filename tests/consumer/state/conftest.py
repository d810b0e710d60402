"""Shared by the tests of state: short pauses between attempts."""

from __future__ import annotations

import pytest

from consumer.state import restorer as restorer_module


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(restorer_module, "RETRY_S", 0.01)
    monkeypatch.setattr(restorer_module, "CHECK_S", 0.01)
