"""Calls the model in a loop, without a server: `python -m benchmarks.serving.in_process MODEL.tflite WINDOWS SECONDS`.

Prints calls a second: the upper bound for any server.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.lib.load import WINDOW
from model_service.serving.runtimes.litert_runtime import LiteRTRuntime


def calls_a_second(model: Path, windows: int, seconds: float) -> float:
    """Call the model for `seconds` with `windows` windows a call. Returns calls a second. model: a .tflite file."""
    runtime = LiteRTRuntime(model)
    [name] = [tensor.name for tensor in runtime.inputs]
    values = np.random.default_rng(0).normal(size=(windows, WINDOW)).astype(np.float32)
    runtime.run({name: values})
    calls, started_s = 0, time.perf_counter()
    while (elapsed_s := time.perf_counter() - started_s) < seconds:
        for _ in range(10):
            runtime.run({name: values})
        calls += 10
    return calls / elapsed_s


if __name__ == "__main__":
    print(calls_a_second(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
