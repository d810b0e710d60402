"""How `fncast model-service` chooses its ports."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from fncast.cli.model_service import _grpc
from fncast.failure import Failure
from fncast.http.listener import bind
from fncast.http.security import OPEN


class NoModels:
    def __init__(self) -> None:
        self.paths: dict[str, Any] = {}

    def refresh(self) -> tuple[Any, ...]:
        return ()


def test_a_free_grpc_port_is_reserved_until_grpc_binds_it() -> None:
    """Services that start at the same time must not get the same port."""
    arguments = argparse.Namespace(host="127.0.0.1", port=0, grpc_port=0)
    address, companion = _grpc(arguments, NoModels(), OPEN)
    port = int(address.rpartition(":")[2])
    with pytest.raises(Failure, match=f"port {port} on 127.0.0.1 is in use"):
        bind("127.0.0.1", port)
    companion._reserved.close()  # type: ignore[union-attr]
