"""The gRPC port of `fncast model-service`: chosen, taken, and without grpcio."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fncast.cli.main import main
from model_service.client import GraphPipeClient
from tests.model_service.serving.failing_start import START_S, failing
from tests.running_command import RunningCommand

pytestmark = pytest.mark.integration

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]
Start = Callable[..., Any]  # of conftest.py

# The command as if grpcio were not installed. PORT: the default port; only with it, gRPC has a default port too.
WITHOUT_GRPC = """
import sys
sys.modules["grpc"] = None
import fncast.cli.commands.model_service
from fncast.cli.main import main
fncast.cli.commands.model_service.PORT = int(sys.argv[1])
sys.exit(main(["model-service", *sys.argv[2:]]))
"""


def test_without_the_default_port_there_is_no_grpc(start: Start, place: Any, models: Path) -> None:
    place("ours", 1)
    assert not any("grpc" in line for line in start("--models", models).lines)  # `start` passes --port 0


def test_a_grpc_port_in_use_ends_the_start(place: Any, models: Path) -> None:
    place("ours", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = failing("--models", models, "--port", 0, "--grpc-port", port)
        assert f"port {port} on 127.0.0.1 is in use; choose another with --grpc-port" in shown


def test_a_wrong_grpc_port_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["model-service", "--grpc-port", "9o01"])
    assert ended.value.code == 2
    assert "must be a port from 0 to 65535, not '9o01'; or none" in capsys.readouterr().err


def test_start_fails_if_grpc_is_requested_but_not_installed(place: Any, models: Path) -> None:
    place("ours", 1)
    words = ["9000", "--models", str(models), "--port", "0", "--grpc-port", "0"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_GRPC, *words], capture_output=True, text=True, timeout=START_S
    )
    assert done.returncode == 1
    assert (
        "pip install '.[grpc]' in fncast's repository, or leave it out with --grpc-port none" in done.stderr
    )


def test_it_warns_and_serves_if_grpc_is_neither_requested_nor_installed(
    place: Any, models: Path, unused_tcp_port: int
) -> None:
    place("ours", 1)
    program = [sys.executable, "-c", WITHOUT_GRPC, str(unused_tcp_port)]
    with closing(RunningCommand("--models", models, program=program)) as running:
        started = running.wait_for("GraphPipe on")
        answer = GraphPipeClient(f"http://127.0.0.1:{unused_tcp_port}").infer(WINDOWS)
        np.testing.assert_allclose(answer.outputs, FORECAST, rtol=1e-6)
    expected = (
        "no gRPC: gRPC needs the module 'grpc': install it with pip install '.[grpc]' in fncast's repository"
    )
    assert any(expected in line for line in running.lines)
    assert "grpc://" not in started
