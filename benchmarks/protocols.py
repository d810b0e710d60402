"""Flatbuffers, protobuf or JSON? One window service by each protocol: `python -m benchmarks.protocols` (2 minutes).

The model answers at once, so that what is measured is the protocol: its bytes on the wire (headers included), the time
of one call, and the CPU that it takes on both sides. All protocols are served by one process, called by the function's
own clients, and take turns within each round; figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import psutil

from benchmarks.arguments import add_rounds_argument

PROGRAM = "protocols"
PAGE = Path(__file__).parents[1] / "docs" / "protocols.md"
BEGIN, END = "<!-- measured by python -m benchmarks.protocols -->", "<!-- end of what is measured -->"
WINDOW, HORIZON, QUANTILES = 48, 12, 3
SIZES = (1, 8, 64, 512)
CALLERS = 4
WARM_UP_CALLS = 30
COUNTED_CALLS = 50
DETAILS = {"window": WINDOW, "horizon": HORIZON, "quantiles": [0.1, 0.5, 0.9]}


class InstantModel:
    """A runtime that answers noise at once, in the shape of the real one."""

    kind = "instant"

    def __init__(self) -> None:
        from model_service.runtime import TensorSpec

        float32 = np.dtype(np.float32)
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("windows", float32, (-1, WINDOW)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("forecast", float32, (-1, HORIZON, QUANTILES)),)
        self._noise = np.random.default_rng(0).normal(size=(4096, HORIZON, QUANTILES)).astype(np.float32)

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"forecast": self._noise[: len(inputs["windows"])]}


def serve() -> None:
    """The service in this process, until it is told to end; its addresses on stderr once it answers."""
    from commands.serve import bind, server
    from model_service.inference_protocol.grpc_server import GrpcServer
    from model_service.metrics import Metrics
    from model_service.model import Model
    from model_service.repository import SingleModel
    from model_service.server import ModelServer

    models = SingleModel(Model("forecast", 1, InstantModel(), orjson.dumps(DETAILS).decode(), DETAILS))
    listener = bind("127.0.0.1", 0)
    with bind("127.0.0.1", 0) as probe:
        grpc_port = probe.getsockname()[1]
    running = server(ModelServer(models, Metrics(), companion=GrpcServer(models, "127.0.0.1", grpc_port)))

    host, port = listener.getsockname()
    running.ready = f"http://{host}:{port} grpc://{host}:{grpc_port}"
    running.run(sockets=[listener])


class JsonClient:
    """REST without the binary extension: numbers as JSON, as curl or a browser would send them."""

    def __init__(self, url: str) -> None:
        from model_service.client.http_connection import HttpConnection

        self._connection = HttpConnection(url, 10.0, "")

    def infer(self, windows: Any) -> Any:
        tensor = {
            "name": "windows",
            "datatype": "FP32",
            "shape": windows.shape,
            "data": windows.ravel(),
        }
        body = orjson.dumps({"inputs": [tensor]}, option=orjson.OPT_SERIALIZE_NUMPY)
        headers = b"Content-Type: application/json\r\n"
        reply = self._connection.post("/v2/models/forecast/infer", headers, body)
        output = orjson.loads(reply.body)["outputs"][0]
        return np.array(output["data"], np.float32).reshape(output["shape"])

    def close(self) -> None:
        self._connection.close()


class TypedClient:
    """gRPC with protobuf's own repeated floats instead of raw bytes."""

    def __init__(self, url: str) -> None:
        import grpc

        from model_service.inference_protocol import messages_pb2

        self._messages = messages_pb2
        self._channel = grpc.insecure_channel(urlsplit(url).netloc)
        self._call = self._channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")

    def infer(self, windows: Any) -> Any:
        request = self._messages.ModelInferRequest(model_name="forecast")
        tensor = request.inputs.add(name="windows", datatype="FP32", shape=windows.shape)
        tensor.contents.fp32_contents.extend(windows.ravel().tolist())
        answer = self._messages.ModelInferResponse.FromString(self._call(request.SerializeToString()))
        output = answer.outputs[0]
        return np.array(output.contents.fp32_contents, np.float32).reshape(tuple(output.shape))

    def close(self) -> None:
        self._channel.close()


def _graphpipe(http: str, _: str) -> Any:
    from model_service.client import connect_graphpipe

    return connect_graphpipe(http)


def _rest(http: str, _: str) -> Any:
    from model_service.client import connect_inference_protocol

    return connect_inference_protocol(http)


def _grpc(_: str, grpc: str) -> Any:
    from model_service.client import connect_inference_protocol

    return connect_inference_protocol(grpc)


CLIENTS: dict[str, Callable[[str, str], Any]] = {
    "flatbuffers (GraphPipe)": _graphpipe,
    "protobuf (gRPC, raw tensors)": _grpc,
    "protobuf (gRPC, typed contents)": lambda _, grpc: TypedClient(grpc),
    "REST, binary tensors": _rest,
    "REST, JSON": lambda http, _: JsonClient(http),
}


@dataclass(frozen=True)
class Calls:
    """What one caller did: times of its calls, and its own CPU."""

    times_s: list[float]
    cpu_s: float


def call(protocol: str, http: str, grpc: str, size: int, seconds: float) -> Calls:
    """Call for so long, one call after the other, over one connection."""
    client = CLIENTS[protocol](http, grpc)
    windows = np.random.default_rng(1).normal(size=(size, WINDOW)).astype(np.float32)
    for _ in range(WARM_UP_CALLS):
        client.infer(windows)
    times_s = []
    cpu_s, end_s = time.process_time(), time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < end_s:
        client.infer(windows)
        times_s.append(time.perf_counter() - began_s)
    cpu_s = time.process_time() - cpu_s
    client.close()
    return Calls(times_s, cpu_s)


@dataclass(frozen=True)
class Figures:
    """latency_us: median of one caller. windows_per_s: of all callers. CPU: of one caller's calls."""

    latency_us: float
    windows_per_s: float
    server_cpu_us: float
    client_cpu_us: float


class Stand:
    """The service as a process and the callers."""

    def __init__(self, http: str, grpc: str, server: psutil.Process, pool: ProcessPoolExecutor) -> None:
        self.http, self.grpc = http, grpc
        self._server = server
        self._pool = pool

    def measure(self, protocol: str, size: int, seconds: float) -> Figures:
        before_s = self._server_cpu_s()
        alone = self._pool.submit(call, protocol, self.http, self.grpc, size, seconds).result()
        server_s = self._server_cpu_s() - before_s
        together = [
            self._pool.submit(call, protocol, self.http, self.grpc, size, seconds) for _ in range(CALLERS)
        ]
        calls = sum(len(each.result().times_s) for each in together)
        count = len(alone.times_s)
        return Figures(
            statistics.median(alone.times_s) * 1e6,
            calls * size / seconds,
            server_s / (count + WARM_UP_CALLS) * 1e6,
            alone.cpu_s / count * 1e6,
        )

    def bytes_per_call(self, protocol: str, size: int) -> tuple[float, float]:
        """Sent and received by the caller, headers of HTTP included; those of the first call left out."""
        windows = np.random.default_rng(1).normal(size=(size, WINDOW)).astype(np.float32)
        with Relay(self.http) as http, Relay(self.grpc) as grpc:
            client = CLIENTS[protocol](http.url, grpc.url)
            for _ in range(2):
                client.infer(windows)
            before = http.sent + grpc.sent, http.received + grpc.received
            for _ in range(COUNTED_CALLS):
                client.infer(windows)
            after = http.sent + grpc.sent, http.received + grpc.received
            client.close()
        return (after[0] - before[0]) / COUNTED_CALLS, (after[1] - before[1]) / COUNTED_CALLS

    def _server_cpu_s(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)


class Relay:
    """Passes one TCP connection on and counts its bytes."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = parts.hostname, parts.port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{parts.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = self.received = 0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Relay:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:  # nobody came
            return
        far = socket.create_connection(self._target)
        self._start(self._pass, near, far, "sent")
        self._start(self._pass, far, near, "received")

    def _pass(self, source: socket.socket, target: socket.socket, counter: str) -> None:
        try:
            while data := source.recv(1 << 20):
                setattr(self, counter, getattr(self, counter) + len(data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


@contextmanager
def stand() -> Iterator[Stand]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.protocols", "--serve"], stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr
        http, grpc = server.stderr.readline().split()
        with ProcessPoolExecutor(CALLERS, multiprocessing.get_context("spawn")) as pool:
            yield Stand(http, grpc, psutil.Process(server.pid), pool)
    finally:
        server.terminate()
        server.wait(10)


def medians(rounds: list[Figures]) -> Figures:
    return Figures(
        *(statistics.median(getattr(each, name) for each in rounds) for name in Figures.__dataclass_fields__)
    )


def table(
    figures: Mapping[tuple[str, int], Figures], sizes: Mapping[tuple[str, int], tuple[float, float]]
) -> str:
    lines = []
    for size in SIZES:
        lines += [
            f"**{size} {'window' if size == 1 else 'windows'} a call**",
            "",
            f"| protocol | bytes there | bytes back | one call, µs | × | windows/s, {CALLERS} callers "
            "| CPU of the server, µs a call | CPU of the caller, µs a call |",
            "|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        first = figures[next(iter(CLIENTS)), size].latency_us
        for protocol in CLIENTS:
            each, (sent, received) = figures[protocol, size], sizes[protocol, size]
            lines.append(
                f"| {protocol} | {sent:,.0f} | {received:,.0f} | {each.latency_us:,.0f} "
                f"| {each.latency_us / first:.2f} | {each.windows_per_s:,.0f} | {each.server_cpu_us:,.0f} "
                f"| {each.client_cpu_us:,.0f} |"
            )
        lines.append("")
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table between the marks of docs/protocols.md."""
    page = PAGE.read_text("utf-8")
    between = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)
    if not between.search(page):
        raise SystemExit(f"{PAGE} has not the lines {BEGIN} and {END}")
    PAGE.write_text(between.sub(lambda _: text, page), "utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{PROGRAM}", description=__doc__)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.6, help="of calls for each figure (default: 0.6)")
    add_rounds_argument(parser)
    parser.add_argument("--print-only", action="store_true", help=f"leave docs/{PAGE.name} alone")
    arguments = parser.parse_args(argv)
    if arguments.serve:
        serve()
        return 0
    measured: dict[tuple[str, int], list[Figures]] = {}
    with stand() as service:
        sizes = {(name, size): service.bytes_per_call(name, size) for size in SIZES for name in CLIENTS}
        for number in range(arguments.rounds):
            for size in SIZES:
                for name in CLIENTS:
                    measured.setdefault((name, size), []).append(
                        service.measure(name, size, arguments.seconds)
                    )
            print(f"round {number + 1} of {arguments.rounds} is done", file=sys.stderr, flush=True)
    text = table({key: medians(rounds) for key, rounds in measured.items()}, sizes)
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}"
    text = f"\nMedians of {arguments.rounds} rounds; {machine}.\n\n{text}\n"
    print(text)
    if not arguments.print_only:
        write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
