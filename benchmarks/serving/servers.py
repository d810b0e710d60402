"""The model servers that are measured, and how each is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from benchmarks.lib.environment import packages_of, python_of
from benchmarks.lib.programs import ROOT, answers, fncast_program, program
from benchmarks.pipelines.peer_programs import PROGRAMS, SERVICES
from benchmarks.serving.http_load import Request
from benchmarks.serving.server_requests import (
    fixed_request,
    graphpipe_request,
    named_request,
    protocol_binary_request,
    protocol_grpc_request,
    protocol_json_request,
)
from fncast.demo.models import NAME
from fncast.demo.plan import HOST, free_ports
from fncast.demo.process import Program

# MLServer waits this long for more requests unless its batch is full.
MLSERVER_BATCH, MLSERVER_WAIT_S = 64, 0.001
UVLOOP = "uvloop"  # an environment with uvloop alone; fncast uses it if it can be imported
FIXED = "no model: a fixed answer"
# Without this, BentoML sends usage reports to its vendor.
BENTOML = {"BENTOML_DO_NOT_TRACK": "True"}


@dataclass(frozen=True)
class Ports:
    """The ports of one server.

    Each port is looked up, because the port after a free one may be in use: Linux gives listeners odd ports and clients
    even ones, and the ports of an earlier load's clients stay in use for a minute.
    """

    http: int
    grpc: int

    @classmethod
    def free(cls) -> Ports:
        return cls(*free_ports(2))

    def of(self, request: Request) -> int:
        return self.grpc if request.is_grpc else self.http


@dataclass(frozen=True)
class MeasuredServer:
    """A model server to measure.

    program: builds its program from its ports and a folder. request: builds a request with a number of windows. health:
    the path of its health check.
    """

    name: str
    program: Callable[[Ports, Path], Program]
    request: Callable[[int], Request]
    health: str = "/healthz"
    environments: Sequence[str] = ()


@dataclass(frozen=True)
class ModelServers:
    """All model servers. models: fncast's folder of models. model: the .tflite file for the other servers."""

    models: Path
    model: Path

    def ours(self) -> list[MeasuredServer]:
        def served(ports: Ports, _: Path) -> Program:
            words = ("model-service", "--models", self.models, "--port", ports.http)
            return fncast_program("model service", *words, "--grpc-port", ports.grpc)

        def with_uvloop(ports: Ports, folder: Path) -> Program:
            plain = served(ports, folder)
            path = os.pathsep.join([str(ROOT), str(packages_of(UVLOOP))])
            return replace(plain, environment={**(plain.environment or {}), "PYTHONPATH": path})

        return [
            MeasuredServer("fncast, GraphPipe", served, graphpipe_request),
            MeasuredServer(
                "fncast, GraphPipe, with uvloop", with_uvloop, graphpipe_request, environments=(UVLOOP,)
            ),
            MeasuredServer(
                "fncast, Open Inference Protocol, binary tensors", served, protocol_binary_request
            ),
            MeasuredServer("fncast, Open Inference Protocol, JSON", served, protocol_json_request),
            MeasuredServer(
                "fncast, Open Inference Protocol, gRPC, raw tensors", served, protocol_grpc_request
            ),
        ]

    def others(self) -> list[MeasuredServer]:
        return [
            MeasuredServer(FIXED, self._fixed, fixed_request),
            MeasuredServer(
                "FastAPI + LiteRT, JSON",
                self._fastapi,
                named_request("/predict", "instances"),
                environments=(SERVICES,),
            ),
            MeasuredServer(
                "BentoML, adaptive batching, JSON",
                self._bentoml,
                named_request("/predict", "windows"),
                environments=("bentoml",),
            ),
            MeasuredServer(
                "LitServe, batching, JSON",
                self._litserve,
                named_request("/predict", "windows"),
                "/health",
                ("litserve",),
            ),
            MeasuredServer(
                "MLServer, adaptive batching, JSON",
                self._mlserver,
                protocol_json_request,
                "/v2/health/ready",
                ("mlserver",),
            ),
        ]

    def _fixed(self, ports: Ports, _: Path) -> Program:
        return program("model service", sys.executable, "-m", "benchmarks.serving.fixed_answer", ports.http)

    def _fastapi(self, ports: Ports, _: Path) -> Program:
        words = (PROGRAMS / "http_model.py", self.model, ports.http)
        return program("model service", python_of(SERVICES), *words)

    def _litserve(self, ports: Ports, _: Path) -> Program:
        words = (PROGRAMS / "litserve_model.py", self.model, ports.http)
        return program("model service", python_of("litserve"), *words)

    def _bentoml(self, ports: Ports, folder: Path) -> Program:
        words = ("serve", "bentoml_model:Forecast", "--working-dir", PROGRAMS, "--host", HOST)
        variables = {"MODEL": str(self.model), "BENTOML_HOME": str(folder / "bentoml"), **BENTOML}
        return program(
            "model service",
            python_of("bentoml"),
            "-m",
            "bentoml",
            *words,
            "--port",
            ports.http,
            variables=variables,
        )

    def _mlserver(self, ports: Ports, folder: Path) -> Program:
        home = folder / f"mlserver-{ports.http}"
        home.mkdir()
        settings = {
            "host": HOST,
            "http_port": ports.http,
            "grpc_port": ports.grpc,
            "metrics_endpoint": None,
            "parallel_workers": 0,
            "debug": False,
        }
        model = {
            "name": NAME,
            "implementation": "mlserver_model.Forecast",
            "max_batch_size": MLSERVER_BATCH,
            "max_batch_time": MLSERVER_WAIT_S,
        }
        (home / "settings.json").write_bytes(orjson.dumps(settings))
        (home / "model-settings.json").write_bytes(orjson.dumps(model))
        python = python_of("mlserver")
        variables = {"MODEL": str(self.model), "PYTHONPATH": str(PROGRAMS)}
        return program("model service", python.parent / "mlserver", "start", home, variables=variables)


def build_program(server: MeasuredServer, ports: Ports, folder: Path) -> Program:
    """Return the server's program with a probe of its health. Raises NoEnvironment."""
    probe = answers(f"http://{HOST}:{ports.http}{server.health}")
    return replace(server.program(ports, folder), ready=probe)
