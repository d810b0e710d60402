"""Compares flatbuffers, protobuf and JSON for one model service: `python -m benchmarks protocols` (2 minutes).

The model answers at once, so the figures show the protocol: bytes on the wire (headers included), time of a call, and
CPU of both sides. One process serves all protocols, and the function's clients call it. Each round measures all
protocols; figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from itertools import product

import numpy as np
import psutil

from benchmarks.lib import machine, pages, report
from benchmarks.lib.arguments import add_rounds_argument, positive_number
from benchmarks.lib.exit_code import run_to_exit_code
from benchmarks.lib.rounds import rounds_text
from benchmarks.serving.protocol_clients import CLIENTS, WARM_UP_CALLS, Calls, call
from benchmarks.serving.protocol_service import WINDOW
from benchmarks.serving.relay import Relay
from fncast.demo.process import ProcessFailed

PROGRAM = "protocols"
GRAPHPIPE = next(iter(CLIENTS))
SIZES = (1, 8, 64, 512)
CALLERS = 4
COUNTED_CALLS = 50
COLUMNS = (
    "protocol, windows a call",
    "bytes of the request",
    "bytes of the response",
    "one call, µs",
    "times GraphPipe",
    f"windows/s, {CALLERS} callers",
    "CPU of the server, µs a call",
    "CPU of the caller, µs a call",
)


@dataclass(frozen=True)
class ProtocolFigures:
    """The result of one protocol and size. latency_us: median of one caller's calls. windows_per_s: of all callers.

    server_cpu_us, client_cpu_us: CPU time of one caller's calls, on average.
    """

    latency_us: float
    windows_per_s: float
    server_cpu_us: float
    client_cpu_us: float


class RunningService:
    """A service process and its callers."""

    def __init__(
        self, http_url: str, grpc_url: str, server: psutil.Process, pool: ProcessPoolExecutor
    ) -> None:
        self._http_url, self._grpc_url = http_url, grpc_url
        self._server = server
        self._pool = pool

    def measure(self, protocol: str, size: int, seconds: float) -> ProtocolFigures:
        """Measure one caller, then all callers at once. size: windows a call."""
        before_s = self._server_cpu_s()
        alone = self._submit(protocol, size, seconds).result()
        server_s = self._server_cpu_s() - before_s
        together = [self._submit(protocol, size, seconds) for _ in range(CALLERS)]
        calls = sum(len(each.result().times_s) for each in together)
        count = len(alone.times_s)
        return ProtocolFigures(
            statistics.median(alone.times_s) * 1e6,
            calls * size / seconds,
            server_s / (count + WARM_UP_CALLS) * 1e6,
            alone.cpu_s / count * 1e6,
        )

    def bytes_per_call(self, protocol: str, size: int) -> tuple[float, float]:
        """Return the bytes that a call sends and receives, HTTP headers included. The first calls do not count."""
        windows = np.random.default_rng(1).normal(size=(size, WINDOW)).astype(np.float32)
        with Relay(self._http_url) as http, Relay(self._grpc_url) as grpc:
            client = CLIENTS[protocol](http.url, grpc.url)
            for _ in range(2):
                client.infer(windows)
            before = http.sent + grpc.sent, http.received + grpc.received
            for _ in range(COUNTED_CALLS):
                client.infer(windows)
            after = http.sent + grpc.sent, http.received + grpc.received
            client.close()
        return (after[0] - before[0]) / COUNTED_CALLS, (after[1] - before[1]) / COUNTED_CALLS

    def _submit(self, protocol: str, size: int, seconds: float) -> Future[Calls]:
        return self._pool.submit(call, protocol, self._http_url, self._grpc_url, size, seconds)

    def _server_cpu_s(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)


@contextmanager
def running_service() -> Iterator[RunningService]:
    """Yield the service, which runs as a process. Raises ProcessFailed."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving.protocol_service"], stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr
        log = ""
        while not (ready := server.stderr.readline()).startswith("http"):
            log += ready
            if not ready:
                raise ProcessFailed(f"the service did not start: {log.strip()}")
        http_url, grpc_url = ready.split()
        with ProcessPoolExecutor(CALLERS, multiprocessing.get_context("spawn")) as pool:
            yield RunningService(http_url, grpc_url, psutil.Process(server.pid), pool)
    finally:
        server.terminate()
        server.wait(10)


def medians(rounds: list[ProtocolFigures]) -> ProtocolFigures:
    """Return the median of each figure over the rounds."""
    return ProtocolFigures(*(statistics.median(values) for values in zip(*map(astuple, rounds), strict=True)))


def table(
    figures: Mapping[tuple[str, int], ProtocolFigures], sizes: Mapping[tuple[str, int], tuple[float, float]]
) -> report.Table:
    """Return a row for each protocol and number of windows a call, with its ratio to GraphPipe's time.

    figures, sizes: by protocol and windows a call. sizes: bytes of the request and of the response.
    """
    rows: list[tuple[report.Cell, ...]] = []
    for size in SIZES:
        graphpipe_us = figures[GRAPHPIPE, size].latency_us
        for protocol in CLIENTS:
            each = figures[protocol, size]
            times = (each.latency_us, each.latency_us / graphpipe_us, each.windows_per_s)
            rows.append(
                (
                    f"{protocol}, {size}",
                    *sizes[protocol, size],
                    *times,
                    each.server_cpu_us,
                    each.client_cpu_us,
                )
            )
    return report.Table("protocols", COLUMNS, rows)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds",
        type=positive_number,
        default=0.6,
        help="of calls for each figure (default: 0.6)",
    )
    add_rounds_argument(parser)
    parser.add_argument(
        "--print-only", action="store_true", help="print the result instead of writing result and page"
    )
    arguments = parser.parse_args(argv)
    return run_to_exit_code(PROGRAM, lambda: _measure(arguments))


def _measure(arguments: argparse.Namespace) -> int:
    """Measure, print and write the result. Returns the exit code. Raises ProcessFailed."""
    measured: dict[tuple[str, int], list[ProtocolFigures]] = {}
    with running_service() as service:
        sizes = {(name, size): service.bytes_per_call(name, size) for size, name in product(SIZES, CLIENTS)}
        for number in range(arguments.rounds):
            for size, name in product(SIZES, CLIENTS):
                figures = service.measure(name, size, arguments.seconds)
                measured.setdefault((name, size), []).append(figures)
            print(f"round {number + 1} of {arguments.rounds} is done", file=sys.stderr, flush=True)
    found = table({key: medians(rounds) for key, rounds in measured.items()}, sizes)
    if arguments.print_only:
        print(found)
    else:
        report.save(PROGRAM, machine.facts(f"median of {rounds_text(arguments.rounds)}"), [found])
        pages.generate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
