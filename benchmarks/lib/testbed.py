"""The testbed of a measurement: a broker, a model, a folder for logs, and backlogs that several runs share."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from benchmarks.lib.broker import LOG_APPEND_TIME, PARTITIONS, Broker, broker
from benchmarks.lib.exit_code import run_to_exit_code
from benchmarks.lib.load import Load, publish
from benchmarks.lib.meter import RunResult
from benchmarks.lib.programs import EXACTLY, LimitPipeline, Pipeline, RunTopics
from benchmarks.lib.rounds import reason
from benchmarks.lib.run import Run
from benchmarks.lib.trained_model import find_or_train


class Testbed:
    """A broker, a model and a folder for logs. Owns the topics of its backlogs; `close` deletes them.

    models: a folder of models. model: a .tflite file of the newest version in it. failed: failures of parts of a
    measurement, for its report.
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
        """Return the topic with this load. The first call publishes it."""
        key = (load, partitions)
        if key not in self._backlogs:
            [topic] = await self.create_topics("in", partitions=partitions)
            await asyncio.to_thread(publish, self.broker.bootstrap_servers, topic, load.records())
            self._backlogs[key] = topic
        return self._backlogs[key]

    async def create_topics(
        self, *kinds: str, partitions: int = PARTITIONS, timestamps: str = LOG_APPEND_TIME
    ) -> list[str]:
        """Create a topic for each kind. Returns their names, which end with the kind."""
        stem = f"bench-{self.folder.name[-8:]}-{next(self._numbers)}"
        names = [f"{stem}-{kind}" for kind in kinds]
        await asyncio.to_thread(
            self.broker.create_topics, *names, partitions=partitions, timestamps=timestamps
        )
        return names

    async def delete_topics(self, *names: str) -> None:
        await asyncio.to_thread(self.broker.delete_topics, *names)

    @contextlib.asynccontextmanager
    async def run(
        self, pipeline: Pipeline, input_topic: str, partitions: int = PARTITIONS
    ) -> AsyncIterator[Run]:
        """Yield the pipeline with running services and without consumers. Raises ProcessFailed, NoEnvironment."""
        output, dead = await self.create_topics("out", "dead", partitions=partitions)
        topics = RunTopics(output.removesuffix("-out"), input_topic, output, dead)
        run = Run(pipeline, self.broker, topics, partitions, self.folder)
        try:
            await run.start_services()
            yield run
        finally:
            await run.close()
            await self.delete_topics(output, dead)

    async def warm_up(self, scale: float = 1.0) -> None:
        """Process a backlog without a result, because the first run on a new broker is slower."""
        await self.warm_up_by(self.process_backlog(LimitPipeline(EXACTLY, self.model), scale))

    async def warm_up_by(self, measurement: Awaitable[object]) -> None:
        """Run a measurement whose result is not used. A failure is only printed."""
        try:
            await measurement
        except Exception as error:
            print(f"warming up the broker: {reason(error)}", file=sys.stderr)

    async def process_backlog(self, pipeline: Pipeline, scale: float) -> tuple[RunResult, dict[str, float]]:
        """Process the pipeline's backlog times `scale`. Returns what `Run.measure` returns.

        Raises ProcessFailed, NoEnvironment.
        """
        events = max(int(pipeline.backlog * scale), 100)
        topic = await self.backlog(Load(events))
        async with self.run(pipeline, topic) as run:
            await run.start_consumers()
            return await run.measure(events)

    async def close(self) -> None:
        if self._backlogs:
            await self.delete_topics(*self._backlogs.values())


def run_on_testbed(
    arguments: argparse.Namespace, program: str, measure: Callable[[Testbed], Awaitable[int]]
) -> int:
    """Run `measure` on a new testbed. Returns the exit code. program: the name before the messages."""
    return run_to_exit_code(program, lambda: _run(arguments, program, measure))


def _run(arguments: argparse.Namespace, program: str, measure: Callable[[Testbed], Awaitable[int]]) -> int:
    with tempfile.TemporaryDirectory(prefix="fncast-benchmark-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        kafka = stack.enter_context(broker(arguments.bootstrap))
        models, model = find_or_train(arguments.models, folder)
        print(f"{program}: broker: {kafka.name}; model: {model.parent.name}", file=sys.stderr)
        return asyncio.run(_measure(Testbed(kafka, models, model, folder), measure))


async def _measure(testbed: Testbed, measure: Callable[[Testbed], Awaitable[int]]) -> int:
    try:
        return await measure(testbed)
    finally:
        await testbed.close()
