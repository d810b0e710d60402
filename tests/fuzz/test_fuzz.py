"""The fuzz program: a short run, and its report of a failure."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from interceptor.readings.formats import BUILT_IN

PROGRAM = Path(__file__).with_name("run.py")


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("target", ["rest", "graphpipe"])
def test_a_short_run_finds_no_failure(target: str) -> None:
    done = fuzz("--target", target, "--count", "2000", "--seed", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(
        rf"{target}: 2,000 inputs in \d+ s with seed 3, 0 failures \(.*in process 200: \d", done.stdout
    )
    assert not done.stderr


def test_a_short_run_of_readings_finds_no_failure() -> None:
    done = fuzz("--target", "readings", "--count", "800")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in BUILT_IN:
        assert f"{name} read: " in done.stdout
        assert f"{name} rejected: " in done.stdout


def test_a_short_run_of_the_monitor_finds_no_failure() -> None:
    done = fuzz("--target", "monitor", "--count", "300")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failures (batch: 3" in done.stdout  # 300 or a few more: the last monitor gets all its batches
    assert not done.stderr


def test_the_same_seed_gives_the_same_inputs() -> None:
    first, second, other = (
        re.sub(r"in \d+ s", "", fuzz("--target", "graphpipe", "--count", "300", "--seed", seed).stdout)
        for seed in ("1", "1", "2")
    )
    assert first == second
    assert first != other.replace("seed 2", "seed 1")


def test_a_failure_is_printed_with_its_input_and_gives_exit_code_1(tmp_path: Path) -> None:
    for file in PROGRAM.parent.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "fuzz_csv.py").write_text(
        """
from fuzz_report import Report
def run(randomly, until):
    report = Report()
    while not until(report.count):
        try:
            raise ZeroDivisionError("found")
        except ZeroDivisionError as error:
            report.crashed(error, b"the input")
    return report
"""
    )
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py", "--target", "csv", "--count", "12"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert re.match(r"csv: 12 inputs in \d+ s with seed 0, 12 failures", done.stdout)
    assert done.stdout.count("ZeroDivisionError: found\n    b'the input'") == 10
