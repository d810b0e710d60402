"""Measures `fncast detect` on CSV files, from its start to its end, and a loop that only reads and writes the CSV."""

from __future__ import annotations

import csv
import io
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.lib.programs import ROOT
from benchmarks.monitor.events import time_of
from benchmarks.readings.rates import Rate
from fncast.demo.plan import environment
from fncast.demo.process import ProcessFailed
from fncast.series.rfc3339 import format_time

MAX_S = 300.0
STEPS_A_DAY = 1440


def write(file: Path, series: int, steps: int) -> None:
    """Write a column of times and a column for each series, which has a daily season."""
    rng = np.random.default_rng(0)
    season = 10 * np.sin(np.arange(steps) * 2 * np.pi / STEPS_A_DAY)
    values = np.round(50 + season + rng.normal(size=(series, steps)), 2).T.tolist()
    with file.open("w", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(["timestamp", *(f"web-{number}.cpu" for number in range(series))])
        rows.writerows([format_time(time_of(step)), *row] for step, row in enumerate(values))


def detect(file: Path, readings: int) -> Rate:
    """Run `fncast detect` on the file, and time its process. Raises ProcessFailed."""
    command = [sys.executable, "-m", "fncast", "detect", str(file)]

    def run() -> int:
        scored = file.with_suffix(".scored")
        with scored.open("wb") as out:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                env={**environment(), "PYTHONPATH": str(ROOT)},
                timeout=MAX_S,
            )
        if done.returncode:
            raise ProcessFailed(f"fncast detect failed: {done.stderr.decode()[-500:]}")
        with scored.open("rb") as lines:
            return sum(1 for _ in lines) - 1

    return _timed(run, readings, resource.RUSAGE_CHILDREN)


def copy(file: Path, readings: int) -> Rate:
    """Read the file with Python's csv, and write a line for each of its readings, in this process."""

    def run() -> int:
        count = 0
        with file.open(newline="") as lines:
            rows = csv.reader(lines)
            names = next(rows)[1:]
            out = csv.writer(io.StringIO())
            for at, *values in rows:
                for name, value in zip(names, values, strict=True):
                    out.writerow([name, at, float(value)])
                    count += 1
        return count

    return _timed(run, readings, resource.RUSAGE_SELF)


def _timed(run: Callable[[], int], readings: int, who: int) -> Rate:
    """Time a run that returns its number of lines. who: as in `getrusage`.

    Raises ProcessFailed unless there is a line for each reading.
    """
    before, began_s = resource.getrusage(who), time.monotonic()
    lines = run()
    taken_s, after = time.monotonic() - began_s, resource.getrusage(who)
    if lines != readings:
        raise ProcessFailed(f"{lines} lines for {readings} readings")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Rate(readings, readings / taken_s, {"process": cpu_s * 1e6 / readings}, 0)
