"""The rules for Host and Origin."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.http.cross_origin import CrossOriginProtection, is_loopback


async def inside(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


async def status(
    check: CrossOriginProtection, method: str = "GET", path: str = "/state", **fields: str | list[str]
) -> int:
    """The status of the response. fields: headers, with `_` in their names for `-`."""
    headers = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, values in {"host": "localhost", **fields}.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers,
        "http_version": "1.1",
        "server": ("10.1.2.3", 9000),
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await check(scope, None, send)
    code: int = sent[0]["status"]
    return code


def on_loopback(*allowed: str) -> CrossOriginProtection:
    return CrossOriginProtection(inside, allowed)


def elsewhere(*allowed: str) -> CrossOriginProtection:
    check = CrossOriginProtection(inside, allowed)
    check.is_on_loopback = False
    return check


OWN = [
    "localhost",
    "LocalHost:8090",
    "localhost.",
    "a.localhost:1",
    "127.0.0.1",
    "127.9.9.9:80",
    "[::1]:8090",
]
FOREIGN = [
    "evil.example.com",
    "evil.example.com:8090",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "notlocalhost",
    "192.168.1.7",
    "0.0.0.0",
    "[fe80::1]",
    "2130706433",
    "localhost@evil.example.com",
    "evil.example.com#localhost",
    "localhost:8090:8090",
    "[::1",
    "a b",
    "\xff",
]


@pytest.mark.parametrize("host", OWN)
async def test_the_names_of_this_machine_are_always_accepted(host: str) -> None:
    for check in (on_loopback(), elsewhere(), on_loopback("a.example"), elsewhere("a.example")):
        assert await status(check, host=host) == 200


@pytest.mark.parametrize("host", FOREIGN)
async def test_other_names_are_rejected_on_loopback(host: str) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        assert await status(on_loopback(), method, host=host) == 403


@pytest.mark.parametrize(
    "host", ["model-service:9000", "fncast.default.svc.cluster.local", "10.1.2.3", "my_service"]
)
async def test_elsewhere_any_name_is_accepted_unless_names_are_configured(host: str) -> None:
    assert await status(elsewhere(), host=host) == 200
    assert await status(elsewhere(host.partition(":")[0]), host=host) == 200


async def test_only_configured_names_are_accepted_besides_the_names_of_this_machine() -> None:
    check = elsewhere("dashboard", "Fncast.Example.Com")
    # A probe sends the address of the pod.
    for host in ("dashboard:8090", "fncast.example.com", "10.1.2.3:9000"):
        assert await status(check, host=host) == 200
    for host in ("evil.example.com", "10.1.2.4", "dashboard.example.com"):
        assert await status(check, host=host) == 403
    assert await status(on_loopback("dashboard"), host="dashboard") == 200


async def test_a_request_needs_exactly_one_host() -> None:
    assert await status(on_loopback(), host=[]) == 400
    assert await status(on_loopback(), host=["localhost", "evil.example.com"]) == 400
    assert await status(on_loopback(), host="") == 403


CROSS = [
    {"origin": "http://evil.example.com"},
    {"origin": "null"},
    {"origin": "http://localhost:3000"},
    {"origin": "http://localhost.evil.example.com"},
    {"origin": ["http://localhost", "http://evil.example.com"]},
    {"origin": "http://[::1"},
    {"origin": ""},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "cross-site", "origin": "http://localhost"},
]


@pytest.mark.parametrize("fields", CROSS)
async def test_a_page_of_another_site_cannot_change_anything(fields: dict[str, Any]) -> None:
    for check in (on_loopback(), elsewhere(), elsewhere("dashboard")):
        for method in ("POST", "PUT", "PATCH", "DELETE", "X-OWN"):
            assert await status(check, method, "/v2/apps", **fields) == 403
        assert await status(check, "GET", "/t/fncast/x", **fields) == 403  # a function may change something
        assert await status(check, "GET", **fields) == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"origin": "http://localhost"},
        {"host": "localhost:8090", "origin": "http://localhost:8090"},
        {"host": "localhost:8090", "origin": "https://LOCALHOST:8090"},
        {"sec_fetch_site": "same-origin", "origin": "https://public.example"},  # a proxy sets another Host
        {"sec_fetch_site": "none"},
    ],
)
async def test_programs_and_pages_of_the_same_site_are_accepted(fields: dict[str, Any]) -> None:
    assert await status(on_loopback(), "POST", **fields) == 200


async def test_pages_of_configured_hosts_are_accepted() -> None:
    fields = {"origin": "https://dashboard.example:8443", "sec_fetch_site": "same-site"}
    assert await status(elsewhere("dashboard.example"), "POST", **fields) == 200


@pytest.mark.parametrize(
    ("name", "expected"), [("::ffff:127.0.0.1", True), ("::ffff:8.8.8.8", False), ("", False)]
)
def test_the_addresses_of_this_machine_are_loopback(name: str, expected: bool) -> None:
    assert is_loopback(name) is expected
