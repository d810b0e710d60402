"""How `fncast model-service` comes by its ports."""

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


def test_a_free_grpc_port_is_kept_until_grpc_takes_it() -> None:
    """Services that are started together would otherwise be given the same one."""
    arguments = argparse.Namespace(host="127.0.0.1", port=0, grpc_port=0)
    address, companion = _grpc(arguments, NoModels(), OPEN)
    port = int(address.rpartition(":")[2])
    with pytest.raises(Failure, match=f"port {port} on 127.0.0.1 is in use"):
        bind("127.0.0.1", port)
    companion._reserved.close()  # type: ignore[union-attr]
