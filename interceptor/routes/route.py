"""A route: the function of a destination. An event's `destination` is the name of a route, never a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from fncast.foreign_text import clean
from fncast.http.port import MAX_PORT

MAX_SHOWN_CHARACTERS = 500  # of a URL, which may come from a server


@dataclass(frozen=True)
class Route:
    """The function of a destination.

    name: the destination. target: `fn:<app>/<function>` on the Fn server, or the URL of an HTTP function.
    batch: whether the function takes `application/cloudevents-batch+json`. Otherwise one event per call, in `mode`.
    token: bearer token, or empty. encoding: "graphpipe" sends the windows of a call as one tensor (docs/functions.md).
    Raises ValueError for an invalid target.
    """

    name: str
    target: str
    batch: bool
    mode: Literal["binary", "structured"] = "structured"
    token: str = field(default="", repr=False)
    encoding: Literal["json", "graphpipe"] = "json"

    def __post_init__(self) -> None:
        if self.is_fn:
            app, slash, function = self.target.removeprefix("fn:").partition("/")
            if not (app and slash and function) or "/" in function:
                raise ValueError(
                    f"route {self.name!r}: {self.target!r} is not of the form fn:<app>/<function>"
                )
        elif not self.target.startswith(("http://", "https://")):
            raise ValueError(
                f"route {self.name!r}: {without_secrets(self.target)!r} is neither fn:<app>/<function> nor a URL"
            )

    @property
    def is_tensor(self) -> bool:
        """Whether the windows of a call are sent as one tensor, whatever `batch` and `mode` say."""
        return self.encoding == "graphpipe"

    @property
    def is_fn(self) -> bool:
        """Whether the function is called through the Fn server."""
        return self.target.startswith("fn:")


def url_flaw(url: str) -> str:
    """Return what is wrong with an http or https URL, as the end of a sentence that begins with it. Empty if valid."""
    try:
        parts = urlsplit(url)
        if not parts.hostname:
            return "names no host"
    except ValueError:
        return "names no host"
    try:
        is_port = parts.port is None or 1 <= parts.port <= MAX_PORT
    except ValueError:
        is_port = False
    return "" if is_port else f"has a port that is not from 1 to {MAX_PORT}"


def without_secrets(url: str) -> str:
    """Return a URL for logs and errors: without user, password, query and fragment, which may be secrets."""
    try:
        parts = urlsplit(url)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
        return clean(urlunsplit(bare), MAX_SHOWN_CHARACTERS)
    except ValueError:
        return "a URL that cannot be read"
