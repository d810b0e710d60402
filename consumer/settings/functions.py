"""The settings of [fn] and [routes]: where functions are, and how they are called."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from consumer.settings.values import MAX_NUMBER
from interceptor.routes.route import url_flaw, without_secrets

# An event's destination is a name here, never a URL. A file's [routes] replaces this, a variable adds to it.
DEFAULT_ROUTES: dict[str, str | RouteSettings] = {"forecast": "fn:fncast/forecast"}


class FnSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Fn server's API, and how functions are called. token_file: contains the bearer token for both."""

    url: str = "http://localhost:8080"
    token_file: str = ""
    timeout_s: float = 30.0
    calls_in_flight: int = 4
    batch_events: int = 512
    batch_bytes: int = 1_000_000
    linger_s: float = 0.005
    max_attempts: int = 5

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url {without_secrets(self.url)!r} does not begin with http:// or https://")
        if flaw := url_flaw(self.url):
            raise ValueError(f"url {without_secrets(self.url)!r} {flaw}")
        if "@" in urlsplit(self.url).netloc:  # the server's own addresses do not have one
            raise ValueError(
                f"url {without_secrets(self.url)!r} has a login. Use token_file with a bearer token instead"
            )
        for name in ("timeout_s", "calls_in_flight", "batch_events", "batch_bytes", "max_attempts"):
            if not 0 < getattr(self, name) < MAX_NUMBER:
                raise ValueError(f"{name} must be positive, and below {MAX_NUMBER:,}")
        if not 0 <= self.linger_s < MAX_NUMBER:
            raise ValueError(f"linger_s must be at least 0, and below {MAX_NUMBER:,}")


class RouteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An HTTP function that accepts CloudEvents: one event a call unless `batch`.

    encoding: graphpipe sends all windows of a call as one tensor, whatever `batch` and `mode` say.
    """

    url: str
    batch: bool = False
    mode: Literal["binary", "structured"] = "structured"
    token_file: str = ""
    encoding: Literal["json", "graphpipe"] = "json"
