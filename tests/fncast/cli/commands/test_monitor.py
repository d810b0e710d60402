"""`fncast monitor`: no task beside the consumer ends unnoticed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from consumer.settings import Settings
from fncast.cli.commands import monitor
from fncast.cli.process import service as service_process
from fncast.http.security import Security
from tests.fncast.cli.fake_service import FakeServer, FakeService


class FakeJudge:
    def series_names(self) -> list[str]:
        return []


async def test_the_report_of_rules_that_fails_is_logged_and_begins_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service, failed = FakeService(Settings()), asyncio.Event()

    async def report(*_: Any) -> None:
        failed.set()
        raise RuntimeError("a bug")

    monkeypatch.setattr(monitor, "build_monitor", lambda _: (FakeJudge(), service))
    monkeypatch.setattr(monitor, "register", lambda _: None)
    monkeypatch.setattr(monitor, "report_unmatched", report)
    monkeypatch.setattr(service_process, "build_server", lambda *_: FakeServer(ends=False))
    running = asyncio.create_task(monitor.monitor(Settings(), "127.0.0.1", 0, Security()))
    async with asyncio.timeout(10):
        await failed.wait()
        await asyncio.sleep(0)
        service.stop()
        assert await running == 0
    assert (
        "the report of rules without a series has failed and restarts in 1 s: RuntimeError: a bug"
        in caplog.text
    )
