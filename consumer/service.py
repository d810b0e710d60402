"""Runs the consumer: the loop in a thread, the interceptor chain in the caller's event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from consumer.assembly import (
    build_chain,
    build_deliver,
    build_function_client,
    build_loop,
    build_routes,
)
from consumer.health import health
from consumer.instance import Instance
from consumer.kafka.outages import Outages
from consumer.rekeying import with_topics_by_series
from consumer.route_check import RouteCheck
from consumer.settings import Settings
from consumer.supervision import keep_running
from interceptor.contract import Interceptor


class Service:
    """The consumer process. Create and use it in one event loop. `run` returns once the loop has ended."""

    def __init__(
        self,
        settings: Settings,
        interceptors: Mapping[str, Interceptor] | None = None,
        more_outputs: Sequence[str] = (),
        *,
        joins_inputs: bool = False,
    ) -> None:
        """interceptors: more interceptors, by the names that the chain in the settings has for them.

        more_outputs: topics that their events name, besides the output topic. joins_inputs: whether they join the
        records of the input topics, so that the results of a batch must be committed together.
        Raises SettingsError, ConsumerError.
        """
        kafka = with_topics_by_series(settings).kafka
        functions = build_function_client(settings)
        self._deliver = build_deliver(settings, functions)
        self._chain = build_chain(settings, self._deliver, interceptors)
        # A user's interceptors may choose routes that are not in the settings.
        checked = build_routes(settings) if "route" in settings.interceptors.chain else {}
        self._route_check = RouteCheck(functions, checked)
        self._instance = Instance(kafka)
        self._input_topics = kafka.input_topics
        self._loop = build_loop(
            settings, self._chain, self._instance.name, more_outputs, joins_inputs=joins_inputs
        )
        self._outages = Outages(
            kafka.client_properties(),
            kafka.outage_topic,
            f"/fncast/{kafka.group_id}/{self._instance.name}",
            self._deliver.outages,
        )

    async def run(self) -> None:
        """Consume until `stop`, or until it is cancelled. Raises the error that ended the loop."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        event_loop = asyncio.get_running_loop()

        def consume() -> None:
            try:
                self._loop.run(self._input_topics)
            except BaseException as error:
                event_loop.call_soon_threadsafe(done.set_exception, _failure(error))
            else:
                event_loop.call_soon_threadsafe(done.set_result, None)

        thread = threading.Thread(target=consume, name="consumer")
        thread.start()
        tasks = [
            asyncio.create_task(keep_running("the report of outages", self._outages.run)),
            asyncio.create_task(keep_running("the check of routes", self._route_check.run)),
        ]
        try:
            await asyncio.shield(done)
        finally:
            self._loop.stop()  # it still runs if this call is cancelled
            thread.join()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._outages.close()
            await self._chain.close()
            self._instance.release()

    def stop(self) -> None:
        """Let `run` finish what is in flight, and return. Any thread may call this."""
        self._loop.stop()

    def health(self) -> dict[str, Any]:
        """The answer of /healthz and /readyz, see `consumer.health`."""
        routes_out = self._deliver.open_circuits()
        return health(self._loop, routes_out, self._route_check.failed, time.monotonic())


def _failure(error: BaseException) -> Exception:
    """The error to raise for what ended the thread.

    A future does not accept StopIteration, and SystemExit would end the process without a message.
    """
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
