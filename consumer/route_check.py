"""Checks at the start that each route can be reached, so that a wrong address shows before the first event."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from interceptor.errors import RetriableError
from interceptor.routes.route import Route

log = logging.getLogger("fncast.consumer")

RETRY_S = 5.0
ANSWER_S = 5.0
TRIES = 3  # before a log line: functions often start together with the consumer


class CheckingClient(Protocol):
    """See FunctionClient."""

    async def check(self, route: Route) -> None:
        """Connect to the route. Raises RetriableError if it cannot be reached."""


class RouteCheck:
    """Connects to each route; no function is called. failed: reasons by name of the routes not reached so far."""

    def __init__(
        self,
        client: CheckingClient,
        routes: Mapping[str, Route],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._unreached = dict(routes)
        self._sleep = sleep
        self._tries: Counter[str] = Counter()
        self.failed: dict[str, str] = {}

    async def run(self) -> None:
        """Check until each route was reached once. After that its calls report errors."""
        while True:
            await asyncio.gather(*(self._check(route) for route in list(self._unreached.values())))
            if not self._unreached:
                return
            await self._sleep(RETRY_S)

    async def _check(self, route: Route) -> None:
        reason = ""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._client.check(route)
        except RetriableError as error:
            reason = str(error)
        except TimeoutError:
            reason = f"no answer within {ANSWER_S:g} s"
        if not reason:
            del self._unreached[route.name]
            self.failed.pop(route.name, None)
            if self._tries[route.name] >= TRIES:
                log.info("route %s can be reached now", route.name)
            return
        self._tries[route.name] += 1
        if self._tries[route.name] == TRIES:
            where = "url in [fn] and the app and function" if route.is_fn else "its url in [routes]"
            log.warning(
                "route %s cannot be reached: %s. Its events wait until it can: check %s",
                route.name,
                reason,
                where,
            )
        self.failed[route.name] = reason
