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
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from fncast.demo.plan import free_ports

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

START = Path(__file__).parents[2] / "docs" / "start.md"
START_PROGRAMS = re.findall(r"```python\n(.*?)```", START.read_text("utf-8"), re.DOTALL)

TIMEOUT_S = 60.0
END_S = 5.0
SECONDS = 35  # enough to start eight processes on a busy machine
INCIDENT_S = 150.0
SUMMARY = re.compile(
    r"([\d,]+) events in, ([\d,]+)(?: \(and ([\d,]+) repeats\))? forecasts out, ([\d,]+) dead letters\n"
)
READINGS = re.compile(r"([\d,]+) single readings in, ([\d,]+) forecasts of their windows out\n")
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


class Demo:
    """A running demo and the processes that it has started."""

    def __init__(self, models: Path, *words: str) -> None:
        [self.port] = free_ports(1)
        command = [
            sys.executable,
            "-m",
            "fncast",
            "demo",
            "--port",
            str(self.port),
            "--models",
            str(models),
            *words,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._seen: dict[int, psutil.Process] = {}
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def children(self) -> dict[str, psutil.Process]:
        """The running processes, by the name of the part."""
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    words = child.cmdline()
                    self._seen[child.pid] = child
                    if "--machine" in words:
                        found["machine"] = child
                    elif "fncast.demo.child" in words:
                        found[words[words.index("fncast.demo.child") + 1]] = child
                    elif "consumer.kafka.embedded" in words:
                        found["broker"] = child
        return found

    def until(self, condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert self.process.poll() is None, "the demo ended:\n" + "\n".join(self.lines)
            assert time.monotonic() < deadline, f"{what} not within {timeout_s:g} s:\n" + "\n".join(
                self.lines
            )
            time.sleep(0.05)  # may end between two looks

    def moves(self) -> bool:
        return any("forecasts are moving" in line for line in self.lines)

    def ends(self, timeout_s: float) -> str:
        """Wait for the end, check that no process is left, and return standard output."""
        assert self.process.stdout is not None
        self.process.wait(timeout_s)
        self._listening.join(END_S)
        left = [child for child in self._seen.values() if child.is_running() and child.status() != "zombie"]
        assert not left
        assert "Traceback" not in "\n".join(self.lines)
        return self.process.stdout.read()

    def close(self) -> None:
        self.children()
        for process in (*self._seen.values(), self.process):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()


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
    demo.until(demo.moves, "forecasts")
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
    demo.until(demo.moves, "forecasts")
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
    demo.until(demo.moves, "forecasts")
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
        demo.until(lambda name=name, old=killed.pid: _other(demo, name, old), f"{part}'s restart")  # type: ignore[misc]
    demo.until(lambda: _connects(demo.port), "the page")
    inputs = [(key, id) for key, id, _ in _records(demo, "metrics")]
    outputs: list[tuple[str, str]] = []

    def answered() -> bool:
        outputs[:] = [(key, cause) for key, _, cause in _records(demo, "forecasts")]
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
    demo.until(demo.moves, "forecasts")
    demo.until(lambda: len(demo.children()) == 8, "all parts")
    children = list(demo.children().values())
    demo.process.kill()
    demo.process.wait()
    _, left = psutil.wait_procs(children, timeout=END_S)
    assert not [child for child in left if child.status() != "zombie"]


@pytest.mark.slow
def test_an_incident_reaches_the_pager(start: Callable[..., Demo], tmp_path: Path) -> None:
    demo = start(models=tmp_path / "none")
    demo.until(demo.moves, "forecasts")
    for words in (
        "memory-full: shop-memory is expected above 90",
        "shop-response is unusual",
        "memory-full closed",
    ):
        found = re.compile(f" pager +{words}")
        demo.until(lambda found=found: any(found.search(line) for line in demo.lines), words, INCIDENT_S)  # type: ignore[misc]
    demo.process.send_signal(signal.SIGINT)
    assert "handed on by the function notify" in demo.ends(END_S)


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
    demo.until(demo.moves, "forecasts")
    assert any("replaying taxi.csv" in line for line in demo.lines)
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


def _other(demo: Demo, name: str, old: int) -> bool:
    child = demo.children().get(name)
    return child is not None and child.pid != old


def _connects(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _records(demo: Demo, topic: str) -> list[tuple[str, str, str]]:
    """Return key, id and cause of each record of a topic, in the order of the partition."""
    address = next(line.split("at ")[1] for line in demo.lines if " broker " in line)
    consumer = Consumer({"bootstrap.servers": address, "group.id": "look", "fetch.wait.max.ms": 10})
    try:
        places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(4)]
        left = sum(consumer.get_watermark_offsets(place, timeout=5)[1] for place in places)
        consumer.assign(places)
        found = []
        deadline = time.monotonic() + 10
        while len(found) < left and time.monotonic() < deadline:
            for message in consumer.consume(500, 0.2):
                headers = {name: value.decode() for name, value in message.headers() or []}
                found.append((message.key().decode(), headers["ce_id"], headers.get("ce_causationid", "")))
        return found
    finally:
        consumer.close()
