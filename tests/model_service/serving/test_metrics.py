"""The metrics of the model service."""

from __future__ import annotations

import asyncio

from model_service.serving.metrics import Metrics
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


def test_a_call_counts_in_its_bucket_and_in_all_larger_ones() -> None:
    metrics = Metrics()
    metrics.observe(16, 0.004)
    page = metrics.page().decode()
    assert 'fncast_model_batch_windows_bucket{le="8.0"} 0.0' in page
    assert 'fncast_model_batch_windows_bucket{le="16.0"} 1.0' in page
    assert 'fncast_model_seconds_bucket{le="0.002"} 0.0' in page
    assert 'fncast_model_seconds_bucket{le="0.005"} 1.0' in page
    assert 'fncast_model_seconds_bucket{le="+Inf"} 1.0' in page


def test_two_servers_of_a_process_count_separately() -> None:
    first, second = Metrics(), Metrics()
    first.observe(1, 0.1)
    assert "fncast_model_seconds_count 1.0" in first.page().decode()
    assert "fncast_model_seconds_count 0.0" in second.page().decode()
