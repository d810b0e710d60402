"""The metrics of the model service."""

from __future__ import annotations

import asyncio

from tests.model_service.asgi_service import (
    WINDOWS,
    AsgiService,
)


async def test_metrics_count_calls_and_windows(service: AsgiService) -> None:
    await asyncio.gather(*(service.infer(WINDOWS) for _ in range(5)))
    page = (await service.call("GET", "/metrics")).body.decode()
    assert "fncast_model_batch_windows_count 1.0" in page
    assert "fncast_model_batch_windows_sum 10.0" in page
    assert "fncast_model_seconds_count 1.0" in page
