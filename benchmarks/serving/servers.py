"""The model servers that are measured: how each is started, and its request for a number of windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from benchmarks.lib.environment import packages_of, python_of
from benchmarks.lib.load import WINDOW
from benchmarks.lib.programs import ROOT, answers, fncast, program
from benchmarks.pipelines.peer_programs import PROGRAMS, SERVICES
from benchmarks.serving.http_load import Request
from fncast.demo.models import NAME
from fncast.demo.plan import HOST, free_ports
from fncast.demo.process import Program
from model_service.protocols import graphpipe
from model_service.protocols.open_inference import messages_pb2

JSON = {"Content-Type": "application/json"}
BINARY = {"Content-Type": "application/octet-stream"}
# The size of MLServer's batches and their wait. It always waits this long unless the batch is full.
MLSERVER_BATCH, MLSERVER_WAIT_S = 64, 0.001
UVLOOP = "uvloop"  # an environment with uvloop alone; fncast uses it if it can be imported
FIXED = "no model: a fixed answer"
ANSWER_BYTES_A_WINDOW = 144  # float32 [12, 3]
# Without this, BentoML sends usage reports to its vendor.
BENTOML = {"BENTOML_DO_NOT_TRACK": "True"}


@dataclass(frozen=True)
class Ports:
    """The ports of one server.

    Both are probed. The next port number may be in use: Linux gives listeners odd ports and clients even ones, and
    those of an earlier load stay in use for a minute.
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
    """program: builds the server for its ports and a folder. request: builds a request with a number of windows."""

    name: str
    program: Callable[[Ports, Path], Program]
    request: Callable[[int], Request]
    health: str = "/healthz"
    environments: Sequence[str] = ()


@dataclass(frozen=True)
class ModelServers:
    """models: fncast's folder of models. model: the .tflite file for all other servers."""

    models: Path
    model: Path

    def ours(self) -> list[MeasuredServer]:
        def served(ports: Ports, _: Path) -> Program:
            words = ("model-service", "--models", self.models, "--port", ports.http)
            return fncast("model service", *words, "--grpc-port", ports.grpc)

        def with_uvloop(ports: Ports, folder: Path) -> Program:
            plain = served(ports, folder)
            path = os.pathsep.join([str(ROOT), str(packages_of(UVLOOP))])
            return replace(plain, environment={**(plain.environment or {}), "PYTHONPATH": path})

        return [
            MeasuredServer("fncast, GraphPipe", served, _graphpipe),
            MeasuredServer("fncast, GraphPipe, with uvloop", with_uvloop, _graphpipe, environments=(UVLOOP,)),
            MeasuredServer("fncast, Open Inference Protocol, binary tensors", served, _protocol_binary),
            MeasuredServer("fncast, Open Inference Protocol, JSON", served, _protocol_json),
            MeasuredServer("fncast, Open Inference Protocol, gRPC, raw tensors", served, _protocol_grpc),
        ]

    def others(self) -> list[MeasuredServer]:
        return [
            MeasuredServer(FIXED, self._fixed, _fixed_request),
            MeasuredServer(
                "FastAPI + LiteRT, JSON",
                self._fastapi,
                _named("/predict", "instances"),
                environments=(SERVICES,),
            ),
            MeasuredServer(
                "BentoML, adaptive batching, JSON",
                self._bentoml,
                _named("/predict", "windows"),
                environments=("bentoml",),
            ),
            MeasuredServer(
                "LitServe, batching, JSON",
                self._litserve,
                _named("/predict", "windows"),
                "/health",
                ("litserve",),
            ),
            MeasuredServer(
                "MLServer, adaptive batching, JSON",
                self._mlserver,
                _protocol_json,
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


def ready(server: MeasuredServer, ports: Ports, folder: Path) -> Program:
    """Return the server's program with a probe of its health. Raises NoEnvironment."""
    plain = server.program(ports, folder)
    return Program(
        plain.name,
        plain.argv,
        answers(f"http://{HOST}:{ports.http}{server.health}"),
        environment=plain.environment,
        restart=False,
    )


def _windows(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=(count, WINDOW)).round(2).astype(np.float32)


def _rounded(count: int) -> list[list[float]]:
    """Return windows for JSON, rounded to the two digits of the readings."""
    rounded: list[list[float]] = np.round(_windows(count).astype(np.float64), 2).tolist()
    return rounded


def _graphpipe(count: int) -> Request:
    message = graphpipe.InferRequest(input_tensors=(_windows(count),))
    return Request(f"/{NAME}", graphpipe.encode_request(message), BINARY)


def _protocol_json(count: int) -> Request:
    tensor = {"name": "windows", "shape": [count, WINDOW], "datatype": "FP32"}
    values = [value for window in _rounded(count) for value in window]
    body = orjson.dumps({"inputs": [{**tensor, "data": values}]})
    return Request(f"/v2/models/{NAME}/infer", body, JSON)


def _protocol_binary(count: int) -> Request:
    """Triton's binary tensor extension: a JSON header, then the tensor's bytes; the response has the same form."""
    raw = _windows(count).tobytes()
    tensor = {"name": "windows", "shape": [count, WINDOW], "datatype": "FP32"}
    inputs = [{**tensor, "parameters": {"binary_data_size": len(raw)}}]
    header = orjson.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}})
    lengths = {**BINARY, "Inference-Header-Content-Length": str(len(header))}
    return Request(f"/v2/models/{NAME}/infer", header + raw, lengths)


def _protocol_grpc(count: int) -> Request:
    message = messages_pb2.ModelInferRequest(model_name=NAME, raw_input_contents=[_windows(count).tobytes()])
    message.inputs.add(name="windows", datatype="FP32", shape=[count, WINDOW])
    body = message.SerializeToString()
    return Request("/inference.GRPCInferenceService/ModelInfer", body, is_grpc=True)


def _named(path: str, name: str) -> Callable[[int], Request]:
    """Build requests of the form `{name: [window, …]}` in JSON."""
    return lambda count: Request(path, orjson.dumps({name: _rounded(count)}), JSON)


def _fixed_request(count: int) -> Request:
    """Build a request and ask for a response, both as long as GraphPipe's."""
    return Request(f"/{ANSWER_BYTES_A_WINDOW * count}", _graphpipe(count).body, BINARY)
