"""Where the microseconds of an event go: a process' CPU, step by step, from samples that py-spy takes."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.environment import python_of
from benchmarks.pipelines import ROOT

RATE_HZ = 200
GRACE_S = 30.0
OUTSIDE = "threads of librdkafka and others outside Python"
ROOMS = ("consumer", "interceptor", "functions", "model_service", "series")


class NoProfile(Exception):
    """py-spy could not look into the process; the text says why."""


@dataclass(frozen=True)
class Step:
    """share: of the process' CPU."""

    name: str
    share: float


def steps(pid: int, seconds: int, folder: Path) -> list[Step]:
    """Costly ones first, while the process works. Raises NoProfile, NoEnvironment.

    A sample belongs to the innermost function of fncast on its stack, what that calls in libraries included.
    """
    python, outside = _thread_cpu_s(pid)
    raw = folder / f"{pid}.raw"
    py_spy = python_of("profile").parent / "py-spy"
    words = ["record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE_HZ)]
    words += ["--format", "raw", "--full-filenames", "--output", str(raw)]
    try:
        done = subprocess.run([py_spy, *words], capture_output=True, text=True, timeout=seconds + GRACE_S)
    except subprocess.TimeoutExpired:
        raise NoProfile("py-spy did not end") from None
    if done.returncode or not raw.is_file():
        raise NoProfile(done.stderr.strip()[-500:] or "py-spy saw nothing")
    python_end, outside_end = _thread_cpu_s(pid)
    in_python, elsewhere = python_end - python, outside_end - outside
    whole = in_python + elsewhere
    samples = _by_function(raw.read_text())
    total = sum(samples.values())
    if not total or not whole:
        raise NoProfile("the process did nothing")
    found = [Step(name, count / total * in_python / whole) for name, count in samples.most_common()]
    return sorted([*found, Step(OUTSIDE, elsewhere / whole)], key=lambda step: -step.share)


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
    return "the event loop and libraries, called by nothing of fncast"


def _thread_cpu_s(pid: int) -> tuple[float, float]:
    """CPU seconds of threads that run Python, and of those that librdkafka names its own."""
    python = outside = 0.0
    for thread in psutil.Process(pid).threads():
        name = Path(f"/proc/{pid}/task/{thread.id}/comm")
        cpu_s = thread.user_time + thread.system_time
        try:
            is_outside = name.read_text().startswith("rdk:")
        except OSError:  # no Linux, or the thread has ended
            is_outside = False
        if is_outside:
            outside += cpu_s
        else:
            python += cpu_s
    return python, outside
