"""The built-in `route`: the allow-list of destinations."""

from __future__ import annotations

from collections.abc import Mapping

from fncast.foreign_text import clean
from interceptor.contract import Interceptor
from interceptor.delivery import Batch
from interceptor.outcome import DeadLetter
from interceptor.routes.route import Route

MAX_SHOWN_CHARACTERS = 64  # of an event's destination, in a reason


class Router(Interceptor):
    """Sets the route that an event's `destination` names. An event without a route becomes a dead letter."""

    def __init__(self, routes: Mapping[str, Route], defaults: Mapping[str, str] | None = None) -> None:
        """routes: by name. defaults: by topic, the destination of events that have none."""
        self._routes = dict(routes)
        self._defaults = {topic: self._routes[name] for topic, name in (defaults or {}).items()}
        self._names = ", ".join(sorted(routes)) or "none"

    async def on_consume(self, batch: Batch) -> Batch:
        routes = self._routes
        for delivery in batch.pending():
            destination = delivery.opened.attributes.get("destination")
            route = routes.get(destination) if type(destination) is str else None
            if route is None and destination in (None, ""):
                route = self._defaults.get(delivery.record.topic)
            if route is not None:
                delivery.route = route
            elif destination in (None, ""):
                delivery.outcome = DeadLetter(
                    f"the event has no extension `destination`, and no setting gives one for the topic"
                    f" {delivery.record.topic!r}: set `destination` in an [[inputs]] entry with this `topic`;"
                    f" destinations here: {self._names}",
                    kind="no_destination",
                )
            else:
                name = clean(str(destination), MAX_SHOWN_CHARACTERS)
                delivery.outcome = DeadLetter(
                    f"unknown destination {name!r}; destinations here: {self._names}",
                    kind="unknown_destination",
                )
        return batch
