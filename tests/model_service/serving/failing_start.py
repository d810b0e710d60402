"""Starts of `fncast model-service` that fail."""

import subprocess
import sys

START_S = 120


def failing(*arguments: object) -> str:
    """Start the service, which must fail with exit code 1, and return the error message."""
    done = subprocess.run(
        [sys.executable, "-m", "fncast", "model-service", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=START_S,
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    return next(line for line in done.stderr.splitlines() if line.startswith("fncast: "))
