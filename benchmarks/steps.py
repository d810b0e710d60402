"""Where a process' time goes, step by step, from samples that py-spy takes of what holds Python's lock."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

from benchmarks.environment import python_of
from benchmarks.pipelines import ROOT

RATE_HZ = 200
GRACE_S = 30.0
ELSEWHERE = "libraries, called by nothing of fncast (the event loop, uvicorn, the FDK)"
ROOMS = ("consumer", "interceptor", "functions", "model_service", "series")


class NoProfile(Exception):
    """py-spy could not look into the process; the text says why."""


def steps(pid: int, seconds: int, folder: Path) -> list[tuple[str, float]]:
    """Steps and the seconds that each took while the process worked, the costly ones first.

    A sample belongs to the innermost function of fncast on its stack, what that calls in libraries included. Waiting,
    and C code that has let go of Python's lock, is not in them. Raises NoProfile, NoEnvironment.
    """
    raw = folder / f"{pid}.raw"
    py_spy = python_of("profile").parent / "py-spy"
    words = ["record", "--gil", "--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE_HZ)]
    words += ["--format", "raw", "--full-filenames", "--output", str(raw)]
    try:
        done = subprocess.run([py_spy, *words], capture_output=True, text=True, timeout=seconds + GRACE_S)
    except subprocess.TimeoutExpired:
        raise NoProfile("py-spy did not end") from None
    if done.returncode or not raw.is_file():
        raise NoProfile(done.stderr.strip()[-500:] or "py-spy saw nothing")
    samples = _by_function(raw.read_text())
    return [(name, count / RATE_HZ) for name, count in samples.most_common()]


def _by_function(raw: str) -> Counter[str]:
    """raw: a line a stack, outermost frame first, `function (file:line);… count`."""
    samples: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        samples[_step(stack.split(";"))] += int(count)
    return samples


def _step(frames: list[str]) -> str:
    for frame in reversed(frames):
        function, _, place = frame.rpartition(" (")
        file = Path(place.rpartition(":")[0])
        if file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in ROOMS:
            return f"{file.relative_to(ROOT)}: {function}"
    return ELSEWHERE
