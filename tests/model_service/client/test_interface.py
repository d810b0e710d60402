"""What all clients share: limits, errors and the check of a forecast."""

from __future__ import annotations

import pytest

from model_service.client import GraphPipeClient, ModelUnavailable
from tests.model_service.client.fake_server import (
    WINDOWS,
    FakeServer,
)


@pytest.mark.parametrize(("header", "seconds"), [("soon", 1.0), ("-3", 0.0), ("1e9", 60.0), ("nan", 1.0)])
def test_retry_after_is_limited(
    server: FakeServer, client: GraphPipeClient, header: str, seconds: float
) -> None:
    server.reply = lambda body: (503, {"Retry-After": header}, b"")
    with pytest.raises(ModelUnavailable) as raised:
        client.infer(WINDOWS)
    assert raised.value.retry_after_s == seconds
