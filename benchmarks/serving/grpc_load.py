"""Repeats one gRPC call, with several calls at a time.

`python -m benchmarks.serving.grpc_load ADDRESS METHOD BODY CALLS SECONDS` prints a line that
benchmarks/serving/http_load.py reads.
BODY: a file with the request's bytes, which are neither built nor parsed here. A call still needs more CPU than wrk's
request, so this process may be slower than the server.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import grpc.aio

from benchmarks.lib.spread import percentile


async def main(address: str, method: str, request: bytes, calls: int, seconds: float) -> None:
    """Print `result`, answered calls, µs taken, p50 and p99 of the latency in µs, and failed calls."""
    latencies_s: list[float] = []
    failed = 0
    async with grpc.aio.insecure_channel(address) as channel:
        await asyncio.wait_for(channel.channel_ready(), 10)
        call = channel.unary_unary(method)
        started_s = time.perf_counter()
        end_s = started_s + seconds

        async def repeat() -> None:
            nonlocal failed
            while (began_s := time.perf_counter()) < end_s:
                try:
                    await call(request, timeout=10)
                except grpc.RpcError:
                    failed += 1
                    return
                latencies_s.append(time.perf_counter() - began_s)

        await asyncio.gather(*(repeat() for _ in range(calls)))
        elapsed_s = time.perf_counter() - started_s
    latencies_s.sort()
    p50_s, p99_s = (percentile(latencies_s, share) if latencies_s else 0.0 for share in (0.5, 0.99))
    times_us = (round(time_s * 1e6) for time_s in (elapsed_s, p50_s, p99_s))
    print("result", len(latencies_s), *times_us, failed)


if __name__ == "__main__":
    address, method, body, calls, seconds = sys.argv[1:]
    asyncio.run(main(address, method, Path(body).read_bytes(), int(calls), float(seconds)))
