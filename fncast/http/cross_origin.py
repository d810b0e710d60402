"""Protects a listener from web pages of other sites: a foreign `Host` (DNS rebinding) or `Origin` is rejected.

This protects users of browsers. Other programs can send any header: only a token keeps them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from fncast.foreign_text import clean
from fncast.http.error_body import error_body

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
# Paths of Fn's triggers. A function may change something on any method, also GET.
_TRIGGERS = "/t/"
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
_SHOWN = 80  # characters of a rejected host
MAX_HOSTS = 256  # values of `Host` whose check is cached


class CrossOriginProtection:
    """ASGI middleware that answers 400 or 403 to requests of other sites. The server owns one for each process."""

    def __init__(self, app: Any, allowed_hosts: Iterable[str] = ()) -> None:
        """allowed_hosts: names or addresses without ports, accepted in `Host` besides the names of this machine."""
        self._app = app
        self._allowed = frozenset(name.lower().strip("[]").rstrip(".") for name in allowed_hosts)
        self._is_allowed = lru_cache(MAX_HOSTS)(self._accepts_host)  # parsing an address is slow
        self.is_on_loopback = True
        """Whether only this machine can reach the listener. The server sets it when it listens."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        rejection = self._rejection(scope) if scope["type"] == "http" else None
        if rejection is None:
            await self._app(scope, receive, send)
            return
        status, text = rejection
        content_type, body = error_body(scope["path"], text)
        length = (b"content-length", b"%d" % len(body))
        headers = [(b"content-type", content_type), length, (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def close_streams(self) -> None:
        """End the application's open streams, if it has any."""
        if close := getattr(self._app, "close_streams", None):
            close()

    def _rejection(self, scope: Any) -> tuple[int, str] | None:
        """Status and text for a request that is rejected, or None."""
        hosts: list[bytes] = []
        origins: list[bytes] = []
        site = b""
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
            elif name == b"sec-fetch-site":
                site = value
        if len(hosts) != 1:
            if hosts or scope["http_version"] != "1.0":
                return 400, "a request needs one Host header"
            hosts = [b""]
        server = scope.get("server")
        if hosts[0] and not self._is_allowed(hosts[0], server[0] if server else ""):
            shown = clean(hosts[0].decode("latin-1"), _SHOWN)
            return 403, f"the Host {shown!r} is not accepted here; --allowed-host accepts a name"
        if scope["method"] in _SAFE and not scope["path"].startswith(_TRIGGERS):
            return None
        if (origins or site) and self._is_cross_site(hosts[0].decode("latin-1").lower(), origins, site):
            return 403, "a request from a page of another site is not accepted here"
        return None

    def _accepts_host(self, host: bytes, address: str) -> bool:
        """Whether a `Host` is accepted.

        address: the local address of the connection. It is accepted, because health checks send it as `Host`, and DNS
            rebinding needs a name.
        """
        found = _HOST.fullmatch(host.decode("latin-1").lower())
        if found is None:
            return False
        name = found[1].strip("[]").rstrip(".")
        if name in self._allowed or is_loopback(name):
            return True
        if self._allowed or self.is_on_loopback:
            return name == address
        return True

    def _is_cross_site(self, host: str, origins: list[bytes], site: bytes) -> bool:
        """Whether a page of another site sent the request.

        Decides as Go's http.CrossOriginProtection does: by `Sec-Fetch-Site`, else by `Origin`. A request with neither
        is not from a browser.
        """
        if not origins:
            return site not in (b"", b"same-origin", b"none")
        origin = origins[0].decode("latin-1").lower() if len(origins) == 1 else ""
        try:
            parts = urlsplit(origin)
            name = parts.hostname or ""
        except ValueError:
            return True
        if name and name in self._allowed:
            return False
        if site:
            return site not in (b"same-origin", b"none")
        return not parts.netloc or parts.netloc != host


def is_loopback(name: str) -> bool:
    """Whether a host name or address always means this machine (RFC 6761). name: lower case, without brackets."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address: IPv4Address | IPv6Address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
