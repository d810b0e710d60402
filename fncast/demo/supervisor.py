"""Starts the demo's processes in order, counts their records, and ends them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp

from fncast.dashboard.kafka.reader import TopicReader
from fncast.demo import models
from fncast.demo.models import DEFAULT_WINDOW, FoundModel
from fncast.demo.pager import Pager
from fncast.demo.plan import HOST, MONITOR_ENVIRONMENT, Plan
from fncast.demo.probe import http_probe, warm_up
from fncast.demo.process import ProcessFailed, Program
from fncast.demo.process_group import KILL_S, ProcessGroup
from fncast.demo.settings_text import FETCH_WAIT_MS
from fncast.demo.summary import DemoSummary
from fncast.demo.topics import (
    DEAD_LETTER_TOPIC,
    INPUT_TOPIC,
    OUTPUT_TOPIC,
    READINGS_TOPIC,
    TRAINING_TOPIC,
    create_topics,
)
from fncast.demo.training_events import TrainingEvents
from fncast.produce.events import to_kafka_record
from fncast.produce.publisher import TopicPublisher

PROBE_TIMEOUT_S = 2.0
COUNT_S = 0.1
FIRST_FORECAST_S = 30.0
MAX_NAMES = 3
SOURCES = ("source", "machine")
# Their sum, with twice KILL_S, is below 5 s, within which the demo ends.
SOURCE_END_S, DRAIN_S, END_S = 1.0, 1.2, 1.8
BROKER_ADVICE = "Its records were in memory and are lost: start the demo again."
SETTLE_S = 0.5  # the reader hands over records every 0.2 s

Report = Callable[[str, str], None]


class DemoSupervisor:
    """`run` starts the demo's processes, `close` ends them. Create and use it in one event loop."""

    def __init__(self, plan: Plan, folder: Path, files: Sequence[Path], report: Report) -> None:
        """folder: for the logs. files: CSV files to replay. report: gets a process's name and a message."""
        self.summary = DemoSummary(INPUT_TOPIC, OUTPUT_TOPIC, DEAD_LETTER_TOPIC, READINGS_TOPIC)
        self.model: FoundModel | None = None
        self._plan = plan
        self._folder = folder
        self._files = files
        self._report = report
        self._group = ProcessGroup(folder, report)
        self._reader: TopicReader | None = None
        self._counting: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None
        self.pager = Pager(report)

    async def run(self) -> None:
        """Start all processes, then supervise them until cancelled. Raises ProcessFailed, UnusableModel, OSError."""
        startup = asyncio.create_task(self._startup())
        try:
            failure = self._group.failure
            await asyncio.wait({startup, failure}, return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                failure.result()
            await startup
            await failure
        finally:
            startup.cancel()
            with contextlib.suppress(asyncio.CancelledError, ProcessFailed):
                await startup

    async def close(self) -> None:
        """End the source, wait for pending forecasts, end the others. Takes less than 5 s."""
        group = self._group
        group.close()
        group.ask_to_end("monitor")  # it needs the longest, and nothing waits for it
        await group.end(SOURCES, SOURCE_END_S)
        if self._counting is not None and "source" in group.names:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wait_for_pending(), DRAIN_S)
        if self._counting is not None:
            self._counting.cancel()
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)
            self._count()
        # End the broker last: for the others, its end would be an outage.
        await group.end([name for name in group.names if name != "broker"], END_S)
        await group.end(["broker"], KILL_S)
        await self.pager.close()
        if self._http is not None:
            await self._http.close()

    async def _wait_for_pending(self) -> None:
        await asyncio.sleep(SETTLE_S)
        while self.summary.pending:  # noqa: ASYNC110  # another thread reads the records
            await asyncio.sleep(COUNT_S / 2)

    async def _startup(self) -> None:
        """Start the processes. Each one waits until the processes that it needs are ready."""
        plan = self._plan
        self.model = None if plan.train else models.find(plan.models) or models.find_base()
        self._http = http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S))
        await self._start_broker()
        # Joining its group takes three seconds and needs only the broker, so do it meanwhile.
        consumer = asyncio.create_task(
            self._group.start(
                Program("consumer", plan.consumer(), http_probe(http, f"{plan.admin_url}/readyz"))
            )
        )
        await self._group.start(
            Program("dashboard", plan.dashboard(), http_probe(http, f"{plan.page}/healthz"))
        )
        self._report("dashboard", f"open {plan.page}")
        if self.model is None:
            await self._train()
        model_service = Program(
            "model-service",
            plan.model_service(self.model is not None and self.model.is_base),
            http_probe(http, f"{plan.model_url}/readyz"),
        )
        await self._group.start(model_service)
        self._report(
            "model-service", f"GraphPipe at {plan.model_url}, model {self.model.folder if self.model else ''}"
        )
        await self.pager.start(HOST, plan.ports.pager)
        functions = Program("functions", plan.functions(), http_probe(http, f"{plan.functions_url}/healthz"))
        await self._group.start(functions)
        window = max(DEFAULT_WINDOW, self.model.window if self.model else 0)
        await warm_up(http, plan.functions_url, window)
        self._report("functions", f"fncast/forecast at {plan.functions_url}")
        await consumer
        self._report(
            "consumer", f"joined its group, delivers at least once; metrics at {plan.admin_url}/metrics"
        )
        since_s = time.time()
        await self._group.start(Program("source", plan.source(self._files, window, since_s)))
        if not self._files:
            await self._group.start(Program("machine", plan.machine(since_s)))
        self._report("source", _sources(self._files))
        await self._first_forecast()
        await self._start_monitor(http)

    async def _start_monitor(self, http: aiohttp.ClientSession) -> None:
        """Start the monitor. It reads the topics from their beginning, so it does not miss the first forecasts."""
        url = self._plan.monitor_url
        probe = http_probe(http, f"{url}/readyz")
        await self._group.start(
            Program("monitor", self._plan.monitor(), probe, environment=MONITOR_ENVIRONMENT)
        )
        self._report("monitor", f"compares forecasts with readings; {url}/accuracy")

    async def _start_broker(self) -> None:
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def output(line: str) -> None:
            if not address.done():
                address.set_result(line)

        async def ready() -> bool:
            return address.done()

        await self._group.start(
            Program("broker", self._plan.broker(), ready, output, restart=False), advice=BROKER_ADVICE
        )
        servers = address.result()
        await asyncio.to_thread(create_topics, servers)
        self._plan.write_settings(servers, has_shop=not self._files)
        self._report("broker", f"embedded, at {servers}")
        self._servers = servers
        properties = {"bootstrap.servers": servers, "fetch.wait.max.ms": str(FETCH_WAIT_MS)}
        self._reader = TopicReader(
            properties, [INPUT_TOPIC, READINGS_TOPIC, OUTPUT_TOPIC, DEAD_LETTER_TOPIC], None
        )
        self._reader.start()
        self._counting = asyncio.create_task(self._count_continuously(), name="counting")
        self._counting.add_done_callback(self._on_counting_end)

    async def _train(self) -> None:
        """Train the first model, and publish the progress for the page."""
        self._report("training", f"training a model into {self._plan.models}, about half a minute")
        training = TrainingEvents("fncast/demo/training")
        publisher = TopicPublisher({"bootstrap.servers": self._servers}, TRAINING_TOPIC)
        await asyncio.to_thread(publisher.connect)

        def output(line: str) -> None:
            event = training.event(line)
            if event is not None:
                publisher.publish(to_kafka_record(event))
                self._report("training", training.progress)

        await self._group.start(
            Program("training", self._plan.training(), output=output, restart=False), may_end=True
        )
        await self._group.ended("training")
        await asyncio.to_thread(publisher.flush)
        self.model = models.find(self._plan.models)

    async def _first_forecast(self) -> None:
        started_s = time.monotonic()
        while not self.summary.forecasts:
            if time.monotonic() - started_s > FIRST_FORECAST_S:
                self._report(
                    "consumer", f"no forecast after {FIRST_FORECAST_S:g} s; the logs are in {self._folder}"
                )
                return
            await asyncio.sleep(COUNT_S)
        self._report("", f"forecasts are moving: {self._plan.page} (Ctrl-C ends everything)")

    async def _count_continuously(self) -> None:
        while True:
            self._count()
            await asyncio.sleep(COUNT_S)

    def _on_counting_end(self, task: asyncio.Task[None]) -> None:
        """End the demo if counting fails: it would wait for forecasts forever."""
        if not task.cancelled():
            self._group.fail(ProcessFailed(f"the demo cannot count records: {task.exception()!r}"))

    def _count(self) -> None:
        while self._reader is not None and (batch := self._reader.take()):
            for counted in batch:
                self.summary.add(counted)


def _sources(files: Sequence[Path]) -> str:
    """What the source publishes, in a few words."""
    if not files:
        return (
            "a web shop's weeks, played fast, with incidents, and this machine's metrics as single readings"
        )
    names = ", ".join(file.name for file in files[:MAX_NAMES])
    return f"replaying {names}" + (f" and {len(files) - MAX_NAMES} more" if len(files) > MAX_NAMES else "")
