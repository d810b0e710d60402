"""Repeats one request over kept-alive connections, with wrk if it is installed, else with asyncio.

`benchmarks/serving/grpc_load.py` sends gRPC, which wrk does not support.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.lib.failure import MeasurementFailed
from benchmarks.lib.spread import percentile
from fncast.demo.plan import HOST

SCRIPT = Path(__file__).parent / "wrk.lua"
GRACE_S = 30.0
NUMBERS = 5  # on the line with the result of a load generator


class LoadFailed(MeasurementFailed):
    """The load could not be sent, or was not answered. The text says why."""


@dataclass(frozen=True)
class Request:
    """A request to repeat. is_grpc: `path` is the method of a gRPC service."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_grpc: bool = False


@dataclass(frozen=True)
class LoadResult:
    """The answered requests of a load. Latencies are from request to complete response, at the client."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def pinned_to(core: int) -> list[str]:
    """Return the words before a command that keep it on one core; empty without taskset or a second core."""
    if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        return []
    return ["taskset", "--cpu-list", str(core)]


def post(port: int, request: Request, connections: int, seconds: int, folder: Path, core: int) -> LoadResult:
    """Send the load to a port of this machine. folder: for a file with the body. core: of the load generator.

    Raises LoadFailed, also if a response is not a success.
    """
    url = f"http://{HOST}:{port}"
    body = folder / "body"
    body.write_bytes(request.body)
    if request.is_grpc:
        words = [sys.executable, "-m", "benchmarks.serving.grpc_load", f"{HOST}:{port}", request.path]
        words += [str(body), str(connections), str(seconds)]
    elif has_wrk():
        headers = [word for pair in request.headers.items() for word in pair]
        words = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        words += ["--timeout", "10s", "--script", str(SCRIPT), url + request.path, "--", str(body), *headers]
    else:
        return asyncio.run(_post(url, request, connections, seconds))
    try:
        done = subprocess.run(
            [*pinned_to(core), *words], capture_output=True, text=True, timeout=seconds + GRACE_S
        )
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"{request.path}: {words[0]} did not end") from None
    found = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("result ")]
    if done.returncode or not found or len(found[0]) != NUMBERS:
        raise LoadFailed(f"{request.path}: {(done.stderr.strip() or done.stdout.strip())[-500:]}")
    requests, duration_us, p50_us, p99_us, failed = map(int, found[0])
    if failed or not requests:
        raise LoadFailed(f"{request.path}: {failed} requests failed, {requests} were answered")
    return LoadResult(requests, duration_us / 1e6, p50_us / 1e3, p99_us / 1e3)


async def _post(url: str, request: Request, connections: int, seconds: int) -> LoadResult:
    """Send the load with asyncio. It needs more CPU than wrk and may be slower than the server. Raises LoadFailed."""
    latencies_s: list[float] = []
    end_s = time.perf_counter() + seconds

    async def repeat(session: aiohttp.ClientSession) -> None:
        while (began_s := time.perf_counter()) < end_s:
            async with session.post(url + request.path, data=request.body, headers=request.headers) as answer:
                await answer.read()
                if answer.status != 200:
                    raise LoadFailed(f"{url}{request.path}: status {answer.status}")
            latencies_s.append(time.perf_counter() - began_s)

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:
        began_s = time.perf_counter()
        await asyncio.gather(*(repeat(session) for _ in range(connections)))
        elapsed_s = time.perf_counter() - began_s
    latencies_s.sort()
    p50_ms, p99_ms = (percentile(latencies_s, share) * 1000 for share in (0.5, 0.99))
    return LoadResult(len(latencies_s), elapsed_s, p50_ms, p99_ms)


def warn_without_wrk() -> None:
    if not has_wrk():
        print(
            "wrk is not installed: the load comes from asyncio, which is slower than some servers",
            file=sys.stderr,
        )
