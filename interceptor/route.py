"""Routes: the allow-list of destinations. An event's `destination` is a name here, never a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from interceptor.contract import Interceptor
from interceptor.delivery import Batch
from interceptor.outcome import DeadLetter

SHOWN_CHARACTERS = 64  # of a destination that an event brought along


@dataclass(frozen=True)
class Route:
    """Where a destination leads.

    name: the destination. target: `fn:<app>/<function>` on the Fn server, or the URL of an HTTP function.
    batch: whether the function takes `application/cloudevents-batch+json`; one event a call otherwise, in `mode`.
    token: bearer token, or empty.
    """

    name: str
    target: str
    batch: bool
    mode: Literal["binary", "structured"] = "structured"
    token: str = ""

    def __post_init__(self) -> None:
        if self.is_fn:
            app, slash, function = self.target.removeprefix("fn:").partition("/")
            if not (app and slash and function) or "/" in function:
                raise ValueError(
                    f"route {self.name!r}: {self.target!r} is not of the form fn:<app>/<function>"
                )
        elif not self.target.startswith(("http://", "https://")):
            raise ValueError(f"route {self.name!r}: {self.target!r} is neither fn:<app>/<function> nor a URL")

    @property
    def is_fn(self) -> bool:
        return self.target.startswith("fn:")


class Router(Interceptor):
    """The built-in `route`: gives each event the route that its `destination` names, or settles it."""

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
                delivery.outcome = DeadLetter(
                    f"unknown destination {str(destination)[:SHOWN_CHARACTERS]!r}; destinations here: {self._known}"
                )
        return batch
