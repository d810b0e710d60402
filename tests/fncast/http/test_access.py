"""Who may use a listener: hosts, origins and tokens."""

from __future__ import annotations

import pytest

from consumer.admin import Admin
from fncast.http.login import Login
from fncast.http.security import Security
from tests.fncast.http.listeners import Consumer, Listen, Running

pytestmark = pytest.mark.integration

TOKEN = "a-token"


@pytest.mark.parametrize(
    ("target", "status"),
    [("http://localhost:80", 200), ("http://evil.example.com", 403), ("HTTP://evil.example.com:80", 403)],
)
def test_the_host_of_an_absolute_target_counts_instead_of_the_header(
    running: tuple[Running, str], target: str, status: int
) -> None:
    listening, path = running
    assert listening.request(f"{target}{path}").startswith(f"HTTP/1.1 {status} ".encode())


def test_foreign_hosts_and_origins_are_rejected(running: tuple[Running, str]) -> None:
    listening, path = running
    assert listening.request(path, "Host: evil.example.com").startswith(b"HTTP/1.1 403 ")
    assert listening.request("/healthz", "Host: evil.example.com").startswith(b"HTTP/1.1 403 ")
    fields = ("Origin: http://evil.example.com", "content-type: text/plain")
    assert listening.request("/v2/apps", *fields, method="POST", body=b'{"name":"x"}').startswith(
        b"HTTP/1.1 403 "
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bearer "])
def test_the_scheme_bearer_may_be_in_any_case(scheme: str, listen: Listen) -> None:
    listening = listen(Admin(Consumer()), Security(token=TOKEN), Login)
    assert listening.request("/metrics", f"Authorization: {scheme} {TOKEN}").startswith(b"HTTP/1.1 200 ")
    assert listening.request("/metrics", f"Authorization: {scheme} wrong").startswith(b"HTTP/1.1 401 ")
    assert listening.request("/metrics", f"Authorization: {TOKEN}").startswith(b"HTTP/1.1 401 ")
