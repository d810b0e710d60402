"""The balanced client with services that are real processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from model_service.client import connect_graphpipe
from tests.waiting import eventually

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)


@pytest.mark.integration
def test_killing_a_service_under_load_fails_no_call(
    start: Callable[..., Any], place: Callable[..., Path], models: Path
) -> None:
    """Four callers use three services. One is killed, restarted at its address, and gets calls again."""
    place("ours", 1)
    services = [start("--models", models) for _ in range(3)]
    urls = ", ".join(service.url for service in services)
    stop = threading.Event()
    calls = [0] * 4
    failures: list[Exception] = []

    def infer(number: int) -> None:
        client = connect_graphpipe(urls, timeout_s=10)
        while not stop.wait(0.002) and not failures:  # the services need the processor, too
            try:
                client.infer(WINDOWS)
            except Exception as failure:
                failures.append(failure)
            calls[number] += 1
        client.close()

    threads = [threading.Thread(target=infer, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()

    def more_calls() -> None:
        before = list(calls)
        eventually(lambda: failures or all(now > old + 50 for now, old in zip(calls, before, strict=True)))

    try:
        more_calls()
        services[1].stop(signal.SIGKILL)
        more_calls()
        port = services[1].url.rpartition(":")[2]
        again = start("--models", models, "--port", port)
        eventually(lambda: failures or windows_scored(again.url) > 20)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert failures == []


def windows_scored(url: str) -> float:
    page = requests.get(f"{url}/metrics", timeout=10).text
    line = next(line for line in page.splitlines() if line.startswith("fncast_model_batch_windows_sum"))
    return float(line.split()[1])
