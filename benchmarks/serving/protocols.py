"""Flatbuffers, protobuf or JSON? One service with each protocol: `python -m benchmarks protocols` (2 minutes).

The model answers at once, so that only the protocol is measured: its bytes on the wire (with headers), the time of a
call, and the CPU on both sides. One process serves all protocols. The callers use the clients of the forecast
function. Each round measures all protocols; the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.lib.arguments import add_rounds_argument, positive
from benchmarks.lib.testbed import INTERRUPTED, end_cleanly
from benchmarks.serving.protocol_clients import CLIENTS, WARM_UP_CALLS, call
from benchmarks.serving.protocol_service import WINDOW
from benchmarks.serving.relay import Relay
from fncast.demo.process import ProcessFailed

PROGRAM = "protocols"
PAGE = Path(__file__).parents[2] / "docs" / "protocols.md"
BEGIN, END = "<!-- measured by python -m benchmarks protocols -->", "<!-- end of what is measured -->"
SIZES = (1, 8, 64, 512)
CALLERS = 4
COUNTED_CALLS = 50


@dataclass(frozen=True)
class Figures:
    """latency_us: median of one caller. windows_per_s: of all callers. CPU: a call of one caller."""

    latency_us: float
    windows_per_s: float
    server_cpu_us: float
    client_cpu_us: float


class Testbed:
    """The service's process and the callers."""

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
        """Bytes that the caller sends and receives in a call, with HTTP headers and without connection set-up."""
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


@contextmanager
def testbed() -> Iterator[Testbed]:
    """Start the service and the callers. Raises ProcessFailed."""
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
        http, grpc = ready.split()
        with ProcessPoolExecutor(CALLERS, multiprocessing.get_context("spawn")) as pool:
            yield Testbed(http, grpc, psutil.Process(server.pid), pool)
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
    """Replace the text between the markers of docs/protocols.md."""
    page = PAGE.read_text("utf-8")
    between = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)
    if not between.search(page):
        raise SystemExit(f"{PAGE} does not have the lines {BEGIN} and {END}; add them")
    PAGE.write_text(between.sub(lambda _: text, page), "utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{PROGRAM}", description=__doc__)
    parser.add_argument(
        "--seconds", type=positive, default=0.6, help="of calls for each figure (default: 0.6)"
    )
    add_rounds_argument(parser)
    parser.add_argument("--print-only", action="store_true", help=f"do not change docs/{PAGE.name}")
    arguments = parser.parse_args(argv)
    end_cleanly()
    try:
        return _measure(arguments)
    except ProcessFailed as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _measure(arguments: argparse.Namespace) -> int:
    """Measure, print and write the page. Returns the exit code. Raises ProcessFailed."""
    measured: dict[tuple[str, int], list[Figures]] = {}
    with testbed() as service:
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
