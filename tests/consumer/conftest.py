"""Shared by the tests of commits: one harness for each delivery guarantee."""

from __future__ import annotations

import pytest

from tests.consumer.commit_harness import running


@pytest.fixture(params=[True, False], ids=["exactly-once", "at-least-once"])
def harness(request):
    with running(request.param) as harness:
        yield harness


@pytest.fixture
def exact():
    with running(True) as harness:
        yield harness


@pytest.fixture
def at_least():
    with running(False) as harness:
        yield harness
