"""Shared by the tests of clients: a server whose responses each test sets, and a GraphPipe client of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from model_service.client import GraphPipeClient
from tests.model_service.client.fake_server import (
    FakeServer,
)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()


@pytest.fixture
def client(server: FakeServer) -> Iterator[GraphPipeClient]:
    client = GraphPipeClient(server.url + "/forecast", timeout_s=5)
    yield client
    client.close()
