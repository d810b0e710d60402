"""How `fncast model-service` chooses its ports and its models."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fncast import models
from fncast.cli.commands.model_service import build_grpc, build_repository, run
from fncast.cli.main import build_parser
from fncast.failure import Failure
from fncast.http.listener import bind
from fncast.http.security import OPEN
from model_service.serving.metrics import Metrics


class NoModels:
    def __init__(self) -> None:
        self.paths: dict[str, Any] = {}

    def refresh(self) -> tuple[Any, ...]:
        return ()


async def test_a_free_grpc_port_is_reserved_until_grpc_binds_it() -> None:
    """Services that start at the same time must not get the same port."""
    arguments = argparse.Namespace(host="127.0.0.1", port=0, grpc_port=0)
    address, companion = build_grpc(arguments, NoModels(), OPEN)
    port = int(address.rpartition(":")[2])
    with pytest.raises(Failure, match=f"port {port} on 127.0.0.1 is in use"):
        bind("127.0.0.1", port)
    assert companion is not None
    await companion.start()
    await companion.stop()


def test_the_base_model_is_served_by_default() -> None:
    arguments = build_parser("model-service").parse_args(["model-service"])
    assert arguments.models is None
    arguments.models = models.FOLDER
    repository = build_repository(arguments, Metrics())
    assert set(repository.paths) == {"/", "/base", "/base/1"}
    assert repository.paths["/"].details["least_history"] == 8


def test_waiting_for_the_base_model_is_rejected() -> None:
    arguments = build_parser("model-service").parse_args(["model-service", "--wait"])
    with pytest.raises(Failure, match="the base model is always there"):
        run(arguments)


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "forecast").mkdir()
    arguments = build_parser("model-service").parse_args(["model-service", "--models", str(tmp_path)])
    entries = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path.name == "forecast":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return entries(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(Failure, match=r"no model to serve in .*: it cannot be read: .*Permission denied"):
        build_repository(arguments, Metrics())
