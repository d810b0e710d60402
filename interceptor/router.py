"""The built-in `route`: the allow-list of destinations."""

from __future__ import annotations

from collections.abc import Mapping

from interceptor.contract import Interceptor
from interceptor.delivery import Batch
from interceptor.foreign_text import clean
from interceptor.outcome import DeadLetter
from interceptor.route import Route

SHOWN_CHARACTERS = 64  # of a destination that an event brought along


class Router(Interceptor):
    """Gives each event the route that its `destination` names, or settles it."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = dict(routes)
        self._known = ", ".join(sorted(routes)) or "none"

    async def on_consume(self, batch: Batch) -> Batch:
        routes = self._routes
        for delivery in batch.pending():
            destination = delivery.opened.attributes.get("destination")
            route = routes.get(destination) if type(destination) is str else None
            if route is not None:
                delivery.route = route
            elif destination is None:
                delivery.outcome = DeadLetter(
                    f"the event has no extension `destination`; destinations here: {self._known}"
                )
            else:
                name = clean(str(destination), SHOWN_CHARACTERS)
                delivery.outcome = DeadLetter(
                    f"unknown destination {name!r}; destinations here: {self._known}"
                )
        return batch
