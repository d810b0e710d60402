"""Starts the demo's processes in order, counts their records, and ends them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from fncast.demo import models
from fncast.demo.models import DEFAULT_WINDOW, FoundModel
from fncast.demo.pager import Pager
from fncast.demo.plan import HOST, MONITOR_ENVIRONMENT, Plan
from fncast.demo.probe import http_probe, warm_up
from fncast.demo.process import ProcessFailed, Program
from fncast.demo.process_group import KILL_S, ProcessGroup
from fncast.demo.record_counter import RecordCounter
from fncast.demo.report import Report
from fncast.demo.summary import DemoSummary
from fncast.demo.topics import TRAINING_TOPIC, create_topics
from fncast.demo.training_events import TrainingEvents
from fncast.produce.events import to_kafka_record
from fncast.produce.publisher import TopicPublisher

PROBE_TIMEOUT_S = 2.0
FIRST_FORECAST_S = 30.0
MAX_NAMES = 3
SOURCES = ("source", "machine")
# Their sum, with twice KILL_S, is below 5 s, within which the demo ends.
SOURCE_END_S, DRAIN_S, END_S = 1.0, 1.2, 1.8
BROKER_ADVICE = "Its records were in memory and are lost: start the demo again."


class DemoSupervisor:
    """`run` starts the demo's processes, `close` ends them. Create and use it in one event loop."""

    def __init__(self, plan: Plan, folder: Path, files: Sequence[Path], report: Report) -> None:
        """folder: for the logs. files: CSV files to replay. report: gets a process's name and a message."""
        self.model: FoundModel | None = None
        self.pager = Pager(report)
        self._plan = plan
        self._folder = folder
        self._files = files
        self._report = report
        self._group = ProcessGroup(folder, report)
        self._counter = RecordCounter()
        self._http: aiohttp.ClientSession | None = None
        self._servers = ""  # the broker's address

    @property
    def summary(self) -> DemoSummary:
        """The counts so far."""
        return self._counter.summary

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
        group.expect_ends()
        group.ask_to_end("monitor")  # it needs the longest, and nothing waits for it
        await group.end(SOURCES, SOURCE_END_S)
        if "source" in group.names:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._counter.wait_for_pending(), DRAIN_S)
        await self._counter.close()
        # End the broker last: for the others, its end would be an outage.
        await group.end([name for name in group.names if name != "broker"], END_S)
        await group.end(["broker"], KILL_S)
        await self.pager.close()
        if self._http is not None:
            await self._http.close()

    async def _startup(self) -> None:
        """Start the processes. Each one waits until the processes that it needs are ready."""
        plan = self._plan
        self.model = None if plan.trains_first else models.find(plan.models) or models.find_base()
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S))
        await self._start_broker()
        # The consumer joins its group in the background: that takes seconds and needs only the broker.
        consumer = asyncio.create_task(
            self._start("consumer", plan.consumer(), f"{plan.admin_url}/readyz"), name="start-consumer"
        )
        # If another start fails first, nothing awaits this task: asyncio would log its error with a traceback.
        consumer.add_done_callback(lambda task: task.cancelled() or task.exception())
        await self._start("dashboard", plan.dashboard(), f"{plan.page_url}/healthz")
        self._report("dashboard", f"open {plan.page_url}")
        if self.model is None:
            await self._train()
        await self._start_model_service()
        await self._start_functions()
        await consumer
        self._report(
            "consumer", f"joined its group, delivers at least once; metrics at {plan.admin_url}/metrics"
        )
        await self._start_sources()
        await self._wait_for_first_forecast()
        # The monitor reads the topics from their beginning, so it does not miss the first forecasts.
        await self._start(
            "monitor", plan.monitor(), f"{plan.monitor_url}/readyz", environment=MONITOR_ENVIRONMENT
        )
        self._report("monitor", f"compares forecasts with readings; {plan.monitor_url}/accuracy")

    async def _start(
        self, name: str, argv: Sequence[str], ready_url: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a process, and wait until `ready_url` answers 200. environment: variables to add."""
        assert self._http is not None
        probe = http_probe(self._http, ready_url)
        await self._group.start(Program(name, argv, probe, environment=environment))

    async def _start_model_service(self) -> None:
        url, is_base = self._plan.model_url, self.model is not None and self.model.is_base
        await self._start("model-service", self._plan.model_service(is_base), f"{url}/readyz")
        self._report("model-service", f"GraphPipe at {url}, model {self.model.folder if self.model else ''}")

    async def _start_functions(self) -> None:
        """Start the functions, and the webhook that `notify` calls."""
        assert self._http is not None
        url = self._plan.functions_url
        await self.pager.start(HOST, self._plan.ports.pager)
        await self._start("functions", self._plan.functions(), f"{url}/healthz")
        await warm_up(self._http, url, self._window)
        self._report("functions", f"fncast/forecast and fncast/notify at {url}")

    async def _start_sources(self) -> None:
        since_s = time.time()
        await self._group.start(Program("source", self._plan.source(self._files, self._window, since_s)))
        if not self._files:
            await self._group.start(Program("machine", self._plan.machine(since_s)))
        self._report("source", _sources(self._files))

    @property
    def _window(self) -> int:
        """Readings in a window of the source."""
        return max(DEFAULT_WINDOW, self.model.window if self.model else 0)

    async def _start_broker(self) -> None:
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def output(line: str) -> None:
            if not address.done():
                address.set_result(line)

        async def ready() -> bool:
            return address.done()

        await self._group.start(
            Program("broker", self._plan.broker(), ready, output, is_restarted=False), advice=BROKER_ADVICE
        )
        servers = address.result()
        await asyncio.to_thread(create_topics, servers)
        self._plan.write_settings(servers, has_shop=not self._files)
        self._report("broker", f"embedded, at {servers}")
        self._servers = servers
        self._counter.start(servers, self._end_uncounted)

    def _end_uncounted(self, error: BaseException) -> None:
        """End the demo, which would wait for forecasts forever. error: why the counting of records ended."""
        self._group.fail(ProcessFailed(f"the demo cannot count records: {error!r}"))

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
            Program("training", self._plan.training(), output=output, is_restarted=False), may_end=True
        )
        await self._group.wait_for_end("training")
        await asyncio.to_thread(publisher.flush)
        self.model = models.find(self._plan.models)

    async def _wait_for_first_forecast(self) -> None:
        """Report the first forecast, or that there is none after FIRST_FORECAST_S."""
        try:
            await asyncio.wait_for(self._counter.wait_for_forecast(), FIRST_FORECAST_S)
        except TimeoutError:
            self._report(
                "consumer", f"no forecast after {FIRST_FORECAST_S:g} s; the logs are in {self._folder}"
            )
        else:
            self._report("", f"forecasts are moving: {self._plan.page_url} (Ctrl-C ends everything)")


def _sources(files: Sequence[Path]) -> str:
    """What the source publishes, in a few words."""
    if not files:
        return "publishes a web shop's weeks (fast, with incidents) and this machine's metrics as single readings"
    names = ", ".join(file.name for file in files[:MAX_NAMES])
    return f"replays {names}" + (f" and {len(files) - MAX_NAMES} more" if len(files) > MAX_NAMES else "")
