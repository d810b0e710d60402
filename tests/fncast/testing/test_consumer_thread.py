"""The consumer of a test, in its thread."""

from __future__ import annotations

import pytest

from fncast import Batch, Interceptor
from fncast.testing import ConsumerStopped, LocalFncast, window_event


class Broken(Interceptor):
    async def on_consume(self, batch: Batch) -> Batch:
        raise ValueError("this series is broken")


def test_the_exception_of_an_interceptor_is_the_cause_of_the_stop() -> None:
    stops = pytest.raises(ConsumerStopped, match="this series is broken")
    with LocalFncast(chain=[Broken(), "route", "deliver"]) as local, stops as stopped:
        local.process(window_event([1.0], subject="broken"))
    assert isinstance(stopped.value.__cause__, ValueError)
