"""Opens a .tflite file in a process of its own, because a damaged one can end the process that opens it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from model_service.serving.runtimes.runtime import UnusableModel

TIMEOUT_S = 60.0
_LENGTH = 8  # stands for a free length


def check_loads(path: Path) -> None:
    """Raises UnusableModel where the process that opens and runs the file is ended by it, or hangs.

    A file that fails in an ordinary way passes: the caller's own attempt says what is wrong."""
    command = [sys.executable, "-m", "model_service.serving.runtimes.litert_probe", str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UnusableModel(f"{path} cannot be opened within {TIMEOUT_S:g} s: it is damaged") from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise UnusableModel(f"{path} ends the process that opens it ({name}): it is damaged or half copied")


def main(path: Path) -> None:
    """Open and run the file once; runs in a process of its own."""
    from model_service.serving.runtimes.litert_runtime import LiteRTRuntime

    runtime = LiteRTRuntime(path)
    shapes = {
        spec.name: [length if length > 0 else _LENGTH for length in spec.shape or ()]
        for spec in runtime.inputs
    }
    runtime.run({spec.name: np.zeros(shapes[spec.name], spec.dtype) for spec in runtime.inputs})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
