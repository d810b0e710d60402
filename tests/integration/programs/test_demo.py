"""`fncast demo` with a quickly trained model."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from running_demo import END_S, Demo

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

START = Path(__file__).parents[3] / "docs" / "start.md"
START_PROGRAMS = re.findall(r"```python\n(.*?)```", START.read_text("utf-8"), re.DOTALL)

SECONDS = 35  # enough to start eight processes on a busy machine
INCIDENT_S = 150.0
SUMMARY = re.compile(
    r"([\d,]+) events? in, ([\d,]+) forecasts? out(?: \(and ([\d,]+) repeats?\))?, ([\d,]+) dead letters?\n"
)
READINGS = re.compile(r"([\d,]+) single readings? in, ([\d,]+) forecasts? of their windows out\n")
DELAY = re.compile(r"median (\d+) ms, p99 (\d+) ms")


@pytest.fixture(scope="module")
def models(once_per_run: Callable[..., Path]) -> Path:
    def make(folder: Path) -> None:
        readings = folder / "readings.csv"
        lines = [f"{1_700_000_000 + 3600 * hour},{(hour % 24) * (hour % 5)}" for hour in range(1000)]
        readings.write_text("timestamp,value\n" + "\n".join(lines) + "\n")
        words = ("--models", str(folder), "--epochs", "1", "--units", "8", "--keep-trained", "--no-refit")
        command = [sys.executable, "-m", "fncast", "train", str(readings), *words]
        subprocess.run(command, check=True, capture_output=True, timeout=200)

    return once_per_run("demo-models", make)


@pytest.fixture
def start(models: Path) -> Iterator[Callable[..., Demo]]:
    demos: list[Demo] = []

    def start(*words: str, models: Path = models) -> Demo:
        demos.append(Demo(models, *words))
        return demos[-1]

    yield start
    for demo in demos:
        demo.close()


def test_the_demo_ends_by_itself_and_prints_a_summary(start: Callable[..., Demo]) -> None:
    demo = start("--seconds", str(SECONDS))
    demo.until(demo.has_moving_forecasts, "forecasts")
    parts = {"broker", "dashboard", "model-service", "functions", "consume", "produce", "machine", "monitor"}
    demo.until(lambda: set(demo.children()) == parts, "all parts")
    output = demo.ends(SECONDS + 20)
    [stopping] = [line for line in demo.lines if line.endswith(" stopping")]
    assert SECONDS <= float(stopping.split()[0]) < SECONDS + END_S
    assert demo.process.returncode == 0
    found = SUMMARY.match(output)
    assert found is not None, output
    events, forecasts, _, dead_letters = (int((text or "0").replace(",", "")) for text in found.groups())
    assert events > 0
    assert (forecasts, dead_letters) == (events, 0)
    readings = READINGS.search(output)
    assert readings is not None, output
    assert all(int(text.replace(",", "")) > 0 for text in readings.groups())
    assert DELAY.search(output)
    assert "last value" in output


def test_the_producer_and_the_reader_of_the_page_start_work_as_written(start: Callable[..., Demo]) -> None:
    producer, reader = START_PROGRAMS
    demo = start()
    demo.until(demo.has_moving_forecasts, "forecasts")
    [broker] = [line.split()[-1] for line in demo.lines if "embedded, at" in line]
    environment = {**os.environ, "KAFKA": broker}
    sent = subprocess.run([sys.executable, "-c", producer], env=environment, timeout=60, check=False)
    assert sent.returncode == 0
    reading = subprocess.Popen(
        [sys.executable, "-c", reader], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert reading.stdout is not None
    try:
        line = next(line for line in reading.stdout if line.startswith("boiler "))
    finally:
        reading.kill()
        reading.communicate()
    forecast = json.loads(line.removeprefix("boiler "))
    assert len(forecast) == 12
    assert all(isinstance(value, float | int) for value in forecast)


def test_nothing_is_lost_when_each_process_is_killed(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.until(demo.has_moving_forecasts, "forecasts")
    for name, part in (
        ("functions", "functions"),
        ("model-service", "model-service"),
        ("consume", "consumer"),
        ("produce", "source"),
        ("machine", "machine"),
        ("dashboard", "dashboard"),
        ("monitor", "monitor"),
    ):
        demo.until(lambda name=name: name in demo.children(), part)  # type: ignore[misc]
        killed = demo.children()[name]
        killed.send_signal(signal.SIGKILL)
        again = re.compile(rf" {part} +was ended by SIGKILL; restarting it")
        demo.until(lambda again=again: any(again.search(line) for line in demo.lines), f"{part}'s end")  # type: ignore[misc]
        demo.until(lambda name=name, old=killed.pid: demo.has_restarted(name, old), f"{part}'s restart")  # type: ignore[misc]
    demo.until(lambda: _connects(demo.port), "the page")
    inputs = [(key, id) for key, id, _ in demo.records("metrics")]
    outputs: list[tuple[str, str]] = []

    def answered() -> bool:
        outputs[:] = [(key, cause) for key, _, cause in demo.records("forecasts")]
        return set(inputs) <= set(outputs)

    demo.until(answered, "a forecast of each event")
    for key in {key for key, _ in inputs}:
        wanted = [id for record_key, id in inputs if record_key == key]
        found = list(dict.fromkeys(id for record_key, id in outputs if record_key == key))
        assert found[: len(wanted)] == wanted
    demo.process.send_signal(signal.SIGINT)
    output = demo.ends(END_S)
    assert demo.process.returncode == 0
    assert SUMMARY.match(output), output


def test_a_killed_demo_leaves_no_process(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.until(demo.has_moving_forecasts, "forecasts")
    demo.until(lambda: len(demo.children()) == 8, "all parts")
    children = list(demo.children().values())
    demo.process.kill()
    demo.process.wait()
    _, left = psutil.wait_procs(children, timeout=END_S)
    assert not [child for child in left if child.status() != "zombie"]


@pytest.mark.slow
def test_an_incident_reaches_the_pager(start: Callable[..., Demo], tmp_path: Path) -> None:
    demo = start(models=tmp_path / "none")
    demo.until(demo.has_moving_forecasts, "forecasts")
    for words in (
        "memory-full: shop-memory is expected above 90",
        "shop-response is unusual",
        "memory-full closed",
    ):
        found = re.compile(f" pager +{words}")
        demo.until(lambda found=found: any(found.search(line) for line in demo.lines), words, INCIDENT_S)  # type: ignore[misc]
    demo.process.send_signal(signal.SIGINT)
    assert "sent by the function notify" in demo.ends(END_S)


def test_ctrl_c_during_training_ends_it(start: Callable[..., Demo], tmp_path: Path) -> None:
    demo = start("--train", models=tmp_path / "none")
    demo.until(lambda: any("epoch 1/" in line for line in demo.lines), "the first epoch")
    assert "train" in demo.children()
    demo.process.send_signal(signal.SIGINT)
    output = demo.ends(END_S)
    assert demo.process.returncode == 0
    assert output.startswith("0 events in")
    assert "ended before a model was trained" in output


def test_files_are_replayed(start: Callable[..., Demo], tmp_path: Path) -> None:
    path = tmp_path / "taxi.csv"
    lines = [f"2026-01-{1 + i // 24:02}T{i % 24:02}:00:00Z,{i % 24}" for i in range(100)]
    path.write_text("timestamp,value\n" + "\n".join(lines) + "\n")
    demo = start("--csv", str(path))
    demo.until(demo.has_moving_forecasts, "forecasts")
    assert any("replays taxi.csv" in line for line in demo.lines)
    demo.process.terminate()
    demo.ends(END_S)
    assert demo.process.returncode == 0


def test_a_port_in_use_gives_one_sentence(models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = [sys.executable, "-m", "fncast", "demo", "--port", str(port), "--models", str(models)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == f"fncast: port {port} on 127.0.0.1 is in use; choose another with --port\n"


def _connects(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
