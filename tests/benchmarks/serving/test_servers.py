"""How the model servers are started, and the ports of their requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.serving import servers
from benchmarks.serving.servers import ModelServers, Ports

PORTS = Ports(http=9, grpc=7)


@pytest.fixture
def model_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelServers:
    monkeypatch.setattr(servers, "python_of", lambda name: Path(name) / "python")
    monkeypatch.setattr(servers, "packages_of", lambda name: Path(name))
    return ModelServers(tmp_path / "models", tmp_path / "model.tflite")


def test_grpc_has_a_probed_port(model_servers: ModelServers, tmp_path: Path) -> None:
    """The number after the HTTP port may belong to a client."""
    for server in model_servers.ours():
        argv = list(server.program(PORTS, tmp_path).argv)
        assert (argv[argv.index("--port") + 1], argv[argv.index("--grpc-port") + 1]) == ("9", "7")
    [mlserver] = [server for server in model_servers.others() if "MLServer" in server.name]
    home = Path(mlserver.program(PORTS, tmp_path).argv[-1])
    settings = json.loads((home / "settings.json").read_text())
    assert (settings["http_port"], settings["grpc_port"]) == (9, 7)


def test_each_request_goes_to_the_port_of_its_protocol(model_servers: ModelServers) -> None:
    ports = {
        server.name: PORTS.of(server.request(1))
        for server in [*model_servers.ours(), *model_servers.others()]
    }
    assert {name for name, port in ports.items() if port == 7} == {
        "fncast, Open Inference Protocol, gRPC, raw tensors"
    }
    assert set(ports.values()) == {7, 9}


def test_free_ports_differ() -> None:
    ports = Ports.free()
    assert ports.http != ports.grpc
