"""Where a process' time goes, step by step, from samples that py-spy takes of what holds Python's lock."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.lib import report
from benchmarks.lib.environment import python_of
from benchmarks.lib.programs import ROOT

RATE_HZ = 200
GRACE_S = 30.0
SHOWN = 14
ELSEWHERE = "libraries, called by nothing of fncast (the event loop, uvicorn, the FDK)"
OUTSIDE = "librdkafka's own threads"
ROOMS = ("consumer", "interceptor", "functions", "model_service", "series")


class NoProfile(Exception):
    """py-spy could not look into the process; the text says why."""


def steps(pid: int, seconds: int, folder: Path) -> list[tuple[str, float]]:
    """Steps and the CPU seconds that each took while the process worked, the costly ones first.

    The CPU of Python's threads is shared out by samples, for a sample may also be of a thread that holds the lock and
    has no core. A sample belongs to the innermost function of fncast on its stack, what that calls in libraries
    included. Raises NoProfile, NoEnvironment.
    """
    before_s, outside_before_s = _thread_cpu_s(pid)
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
    after_s, outside_after_s = _thread_cpu_s(pid)
    samples = _by_function(raw.read_text())
    sample_s = (after_s - before_s) / max(sum(samples.values()), 1)
    found = [(name, count * sample_s) for name, count in samples.most_common()]
    return sorted([*found, (OUTSIDE, outside_after_s - outside_before_s)], key=lambda step: -step[1])


def table(found: list[tuple[str, float]], count: int, of: str, name: str) -> report.Table:
    """Return the costliest steps in µs. count: how many events or requests (`of`) the time was spent on."""
    used_s = sum(seconds for _, seconds in found)
    rest_s = sum(seconds for _, seconds in found[SHOWN:])
    rows = [
        (step, seconds * 1e6 / count, seconds / used_s)
        for step, seconds in (
            *found[:SHOWN],
            ("smaller steps", rest_s),
            ("all of the process' CPU", used_s),
        )
    ]
    return report.Table(name, ("step", f"µs/{of}", "share"), rows)


def _thread_cpu_s(pid: int) -> tuple[float, float]:
    """CPU seconds of threads that run Python, and of those that librdkafka names its own."""
    python_s = outside_s = 0.0
    for thread in psutil.Process(pid).threads():
        try:
            name = Path(f"/proc/{pid}/task/{thread.id}/comm").read_text()
        except OSError:  # no Linux, or the thread has ended
            name = ""
        if name.startswith("rdk:"):
            outside_s += thread.user_time + thread.system_time
        else:
            python_s += thread.user_time + thread.system_time
    return python_s, outside_s


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
