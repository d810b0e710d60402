"""A consumer beside its listener: the end of either ends the command."""

from __future__ import annotations

import asyncio

import pytest

from consumer.settings import Settings
from fncast.cli.commands import consume
from fncast.cli.process import service as service_process
from fncast.failure import Failure
from fncast.http.security import Security
from tests.fncast.cli.fake_service import FakeServer, FakeService


@pytest.mark.parametrize(
    ("error", "reason"), [(RuntimeError("a bug"), "RuntimeError: a bug"), (None, "the reason is unknown")]
)
async def test_the_consumer_stops_if_its_listener_stops(monkeypatch, error, reason):
    monkeypatch.setattr(consume, "Service", FakeService)
    monkeypatch.setattr(service_process, "build_server", lambda *_: FakeServer(error))
    with pytest.raises(
        Failure, match=f"^the listener of /metrics, /healthz and /readyz has stopped: {reason}"
    ):
        await asyncio.wait_for(consume.consume(Settings(), "127.0.0.1", 0, Security()), 10)


async def test_an_error_in_the_consumer_is_one_sentence(monkeypatch):
    monkeypatch.setattr(consume, "Service", FakeService)
    monkeypatch.setattr(FakeService, "error", ZeroDivisionError("of an interceptor"))
    monkeypatch.setattr(service_process, "build_server", lambda *_: FakeServer(ends=False))
    with pytest.raises(
        Failure, match=r"^ZeroDivisionError: of an interceptor\. No unfinished event was committed"
    ):
        await asyncio.wait_for(consume.consume(Settings(), "127.0.0.1", 0, Security()), 10)
