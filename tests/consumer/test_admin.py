"""The admin listener's answers."""

from __future__ import annotations

import json

import pytest

from consumer.admin import Admin


class Consumer:
    def __init__(self, **health) -> None:
        self._health = health

    def health(self):
        return self._health


async def get(consumer, path: str, method: str = "GET"):
    sent = []

    async def send(message):
        sent.append(message)

    await Admin(consumer)({"type": "http", "path": path, "method": method}, None, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize(
    ("path", "health", "status"),
    [
        ("/healthz", {"alive": True, "ready": False}, 200),
        ("/healthz", {"alive": False, "ready": True}, 503),
        ("/readyz", {"alive": True, "ready": False}, 503),
        ("/readyz", {"alive": True, "ready": True, "routes_out": {"forecast": "no answer"}}, 200),
    ],
)
async def test_health_and_readiness(path, health, status):
    answered, body = await get(Consumer(**health), path)
    assert answered == status
    assert json.loads(body) == health


async def test_metrics_are_served_and_other_paths_are_not_found():
    status, body = await get(Consumer(), "/metrics")
    assert status == 200
    assert b"fncast_events_total" in body or b"python_info" in body
    assert (await get(Consumer(), "/nothing"))[0] == 404
    assert await get(Consumer(alive=True), "/healthz", "HEAD") == (200, b"")
