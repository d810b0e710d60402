"""The CPU time of a process by step, from py-spy's samples of the threads that hold Python's lock."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.lib import report
from benchmarks.lib.environment import python_of
from benchmarks.lib.failure import MeasurementFailed
from benchmarks.lib.programs import ROOT

RATE_HZ = 200
GRACE_S = 30.0
SHOWN_STEPS = 14
LIBRARIES = "libraries outside of fncast's functions (the event loop, uvicorn, the FDK)"
LIBRDKAFKA = "librdkafka's threads"
ROOMS = ("consumer", "fncast", "functions", "interceptor", "model_service")


class NoProfile(MeasurementFailed):
    """py-spy could not sample the process. The text says why."""


def steps(pid: int, seconds: int, folder: Path) -> list[tuple[str, float]]:
    """Return the steps and their CPU seconds, the most expensive first.

    The CPU time of Python's threads is divided by the number of samples, because a sampled thread may hold the lock
    without a core. A sample counts for the innermost function of fncast on its stack, including the libraries that it
    calls. Raises NoProfile, NoEnvironment.
    """
    before_s, librdkafka_before_s = _thread_cpu_s(pid)
    raw = folder / f"{pid}.raw"
    py_spy = python_of("profile").parent / "py-spy"
    flags = ["record", "--gil", "--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE_HZ)]
    flags += ["--format", "raw", "--full-filenames", "--output", str(raw)]
    try:
        done = subprocess.run([py_spy, *flags], capture_output=True, text=True, timeout=seconds + GRACE_S)
    except subprocess.TimeoutExpired:
        raise NoProfile("py-spy did not end") from None
    if done.returncode or not raw.is_file():
        raise NoProfile(done.stderr.strip()[-500:] or "py-spy took no samples")
    after_s, librdkafka_after_s = _thread_cpu_s(pid)
    samples = samples_by_function(raw.read_text())
    sample_s = (after_s - before_s) / max(sum(samples.values()), 1)
    found = [(name, count * sample_s) for name, count in samples.most_common()]
    return sorted([*found, (LIBRDKAFKA, librdkafka_after_s - librdkafka_before_s)], key=lambda step: -step[1])


def table(found: list[tuple[str, float]], count: int, unit: str, name: str) -> report.Table:
    """Return the most expensive steps in µs. count: the number of events or requests (`unit`) in that time."""
    used_s = sum(seconds for _, seconds in found)
    rest_s = sum(seconds for _, seconds in found[SHOWN_STEPS:])
    rows = [
        (step, seconds * 1e6 / count, seconds / used_s)
        for step, seconds in (
            *found[:SHOWN_STEPS],
            ("smaller steps", rest_s),
            ("all of the process' CPU", used_s),
        )
    ]
    return report.Table(name, ("step", f"µs/{unit}", "share"), rows)


def _thread_cpu_s(pid: int) -> tuple[float, float]:
    """Return the CPU seconds of threads that run Python, and of librdkafka's threads."""
    python_s = librdkafka_s = 0.0
    for thread in psutil.Process(pid).threads():
        try:
            name = Path(f"/proc/{pid}/task/{thread.id}/comm").read_text()
        except OSError:  # not Linux, or the thread has ended
            name = ""
        if name.startswith("rdk:"):
            librdkafka_s += thread.user_time + thread.system_time
        else:
            python_s += thread.user_time + thread.system_time
    return python_s, librdkafka_s


def samples_by_function(raw: str) -> Counter[str]:
    """Return the samples by step. raw: one line a stack, outermost frame first, `function (file:line);… count`."""
    samples: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        samples[_step(stack.split(";"))] += int(count)
    return samples


def _step(frames: list[str]) -> str:
    for frame in reversed(frames):
        function, _, location = frame.rpartition(" (")
        file = Path(location.rpartition(":")[0])
        if file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in ROOMS:
            return f"{file.relative_to(ROOT)}: {function}"
    return LIBRARIES
