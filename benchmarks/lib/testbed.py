"""What a measurement needs: a broker, a model, a folder for logs, and backlogs that several runs read."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from benchmarks.lib.broker import PARTITIONS, Broker, NoBroker, broker
from benchmarks.lib.environment import NoEnvironment
from benchmarks.lib.load import Load, publish
from benchmarks.lib.meter import Measured
from benchmarks.lib.programs import EXACTLY, Limit, Pipeline, Topics
from benchmarks.lib.rounds import reason
from benchmarks.lib.run import Run
from fncast.demo.models import find
from fncast.demo.process import ProcessFailed

EPOCHS = 2  # for the model that is trained where none exists; its quality is not measured here

INTERRUPTED = 130  # the shells' exit code for Ctrl-C


class Testbed:
    """Owns the topics and the backlogs of one measurement.

    models: a folder of models; model: the .tflite file of the newest version in it.
    failed: the errors of parts that did not stop the measurement; the measuring program prints them.
    """

    def __init__(self, broker: Broker, models: Path, model: Path, folder: Path) -> None:
        self.broker = broker
        self.models = models
        self.model = model
        self.folder = folder
        self.failed: list[str] = []
        self._numbers = itertools.count(1)
        self._backlogs: dict[tuple[Load, int], str] = {}

    async def backlog(self, load: Load, partitions: int = PARTITIONS) -> str:
        """The topic that holds the load. The first call publishes it."""
        key = (load, partitions)
        if key not in self._backlogs:
            [topic] = await self.make_topics("in", partitions=partitions)
            await asyncio.to_thread(publish, self.broker.bootstrap_servers, topic, load.records())
            self._backlogs[key] = topic
        return self._backlogs[key]

    async def make_topics(self, *kinds: str, partitions: int = PARTITIONS) -> list[str]:
        stem = f"bench-{self.folder.name[-8:]}-{next(self._numbers)}"
        names = [f"{stem}-{kind}" for kind in kinds]
        await asyncio.to_thread(self.broker.make_topics, *names, partitions=partitions)
        return names

    async def delete_topics(self, *names: str) -> None:
        await asyncio.to_thread(self.broker.delete_topics, *names)

    @contextlib.asynccontextmanager
    async def run(
        self, pipeline: Pipeline, input_topic: str, partitions: int = PARTITIONS
    ) -> AsyncIterator[Run]:
        """Start the pipeline's services, but not yet its consumers. Raises ProcessFailed, NoEnvironment."""
        output, dead = await self.make_topics("out", "dead", partitions=partitions)
        topics = Topics(output.removesuffix("-out"), input_topic, output, dead)
        run = Run(pipeline, self.broker, topics, partitions, self.folder)
        try:
            await run.start_services()
            yield run
        finally:
            await run.close()
            await self.delete_topics(output, dead)

    async def warm_up(self, scale: float = 1.0) -> None:
        """Warm up the broker: the first pipeline on a new broker is slower than the others."""
        await self.warm_up_by(self.measure_backlog(Limit(EXACTLY, self.model), scale))

    async def warm_up_by(self, measurement: Awaitable[object]) -> None:
        """Run a measurement and drop its result; an error is only printed."""
        try:
            await measurement
        except Exception as error:
            print(f"warming the broker: {reason(error)}", file=sys.stderr)

    async def measure_backlog(self, pipeline: Pipeline, scale: float) -> tuple[Measured, dict[str, float]]:
        """Measure how a pipeline processes its backlog; see `Run.measure`. scale: factor for the backlog's size.

        Raises ProcessFailed, NoEnvironment."""
        events = max(int(pipeline.backlog * scale), 100)
        topic = await self.backlog(Load(events))
        async with self.run(pipeline, topic) as run:
            await run.start_consumers()
            return await run.measure(events)

    async def close(self) -> None:
        if self._backlogs:
            await self.delete_topics(*self._backlogs.values())


def on_testbed(
    arguments: argparse.Namespace, program: str, measure: Callable[[Testbed], Awaitable[int]]
) -> int:
    """Run `measure` on a new testbed. Returns the exit code."""
    end_cleanly()
    try:
        with tempfile.TemporaryDirectory(prefix="fncast-benchmark-") as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            kafka = stack.enter_context(broker(arguments.bootstrap))
            models, model = find_or_train_model(arguments.models, folder)
            print(f"{program}: broker: {kafka.name}; model: {model.parent.name}", file=sys.stderr)
            return asyncio.run(_measure(Testbed(kafka, models, model, folder), measure))
    except (NoBroker, NoEnvironment, ProcessFailed) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED


def end_cleanly() -> None:
    """Treat SIGTERM like Ctrl-C, so that processes, containers and folders are removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


async def _measure(testbed: Testbed, measure: Callable[[Testbed], Awaitable[int]]) -> int:
    try:
        return await measure(testbed)
    finally:
        await testbed.close()


def find_or_train_model(models: Path, folder: Path) -> tuple[Path, Path]:
    """The folder of models and the newest version's .tflite file in it. Trains a small model if there is none.

    folder: where a small model is written."""
    if (found := find(models)) is None:
        print("no model yet: training a small one", file=sys.stderr)
        models = folder / "models"
        words = ("train", "--models", models, "--epochs", EPOCHS)
        subprocess.run([sys.executable, "-m", "fncast", *map(str, words)], check=True, stdout=sys.stderr)
        found = find(models)
        assert found is not None
    return models.resolve(), found.folder.path.resolve() / "model.tflite"
