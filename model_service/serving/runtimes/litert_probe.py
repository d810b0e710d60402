"""Opens a .tflite file in a child process, because a damaged file can crash the process that opens it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from model_service.serving.runtimes.runtime import UnusableModel

TIMEOUT_S = 60.0
_LENGTH = 8  # replaces a free length of a shape


def check_loads(path: Path) -> None:
    """Raises UnusableModel if the child process that opens and runs the file crashes or hangs.

    A file that only raises an error passes: the caller gets the same error when it opens the file.
    """
    command = [sys.executable, "-m", "model_service.serving.runtimes.litert_probe", str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UnusableModel(
            f"{path} cannot be opened within {TIMEOUT_S:g} s: it is damaged; copy or train it again"
        ) from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise UnusableModel(
            f"{path} crashes the process that opens it ({name}): it is damaged or partly copied"
        )


def main(path: Path) -> None:
    """Open the file and run it once. Runs in the child process."""
    from model_service.serving.runtimes.litert_runtime import LiteRTRuntime

    runtime = LiteRTRuntime(path)
    shapes = {
        spec.name: [length if length > 0 else _LENGTH for length in spec.shape or ()]
        for spec in runtime.inputs
    }
    # np.zeros(…, object) would hold integers, but the objects of a model are strings.
    runtime.run(
        {
            spec.name: np.full(shapes[spec.name], b"" if spec.dtype.kind == "O" else 0, spec.dtype)
            for spec in runtime.inputs
        }
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
