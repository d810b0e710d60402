"""The CPU time of a process by function, from py-spy's samples of the thread that holds the GIL."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.lib import report
from benchmarks.lib.environment import python_of
from benchmarks.lib.programs import ROOT
from benchmarks.lib.spread import figure

RATE_HZ = 200
GRACE_S = 30.0
SHOWN = 14
ELSEWHERE = "libraries, not called by fncast (the event loop, uvicorn, the FDK)"
OUTSIDE = "librdkafka's own threads"
ROOMS = tuple(
    ROOT / room for room in ("consumer", "interceptor", "functions", "model_service", "fncast/series")
)


class NoProfile(Exception):
    """py-spy could not sample the process. The text gives the reason."""


def steps(pid: int, seconds: int, folder: Path) -> list[tuple[str, float]]:
    """The CPU seconds of each step in `seconds` seconds, the most expensive step first.

    A step is the innermost function of fncast on the stack, with the library functions that it calls. The measured
    CPU time of Python's threads is distributed in proportion to the samples: a thread that holds the GIL may wait for
    a core. folder: for the samples. Raises NoProfile, NoEnvironment.
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


def table(found: list[tuple[str, float]], count: int, of: str) -> str:
    """A Markdown table of the most expensive steps, in µs a unit. count, of: number and name of the units."""
    used_s = sum(seconds for _, seconds in found)
    rest_s = sum(seconds for _, seconds in found[SHOWN:])
    rows = [
        (step, figure(seconds * 1e6 / count), f"{seconds / used_s:.0%}")
        for step, seconds in (
            *found[:SHOWN],
            ("smaller steps", rest_s),
            ("all of the process' CPU", used_s),
        )
    ]
    return report.table(("step", f"µs/{of}", "share"), rows)


def _thread_cpu_s(pid: int) -> tuple[float, float]:
    """CPU seconds of the threads that run Python, and of librdkafka's threads."""
    python_s = outside_s = 0.0
    for thread in psutil.Process(pid).threads():
        try:
            name = Path(f"/proc/{pid}/task/{thread.id}/comm").read_text()
        except OSError:  # not Linux, or the thread has ended
            name = ""
        if name.startswith("rdk:"):
            outside_s += thread.user_time + thread.system_time
        else:
            python_s += thread.user_time + thread.system_time
    return python_s, outside_s


def _by_function(raw: str) -> Counter[str]:
    """Samples by step. raw: one line a stack, outermost frame first, `function (file:line);… count`."""
    samples: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        samples[_step(stack.split(";"))] += int(count)
    return samples


def _step(frames: list[str]) -> str:
    for frame in reversed(frames):
        function, _, place = frame.rpartition(" (")
        file = Path(place.rpartition(":")[0])
        if any(file.is_relative_to(room) for room in ROOMS):
            return f"{file.relative_to(ROOT)}: {function}"
    return ELSEWHERE
