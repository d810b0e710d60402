"""The policy of the balanced client, with fake services and a fake clock."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from model_service.client import (
    BalancedClient,
    GraphPipeClient,
    InferenceResult,
    InvalidShape,
    ModelError,
    ModelUnavailable,
    connect_graphpipe,
)
from model_service.client.balanced_client import FIRST_PAUSE_S, MAX_PAUSE_S
from model_service.protocols.graphpipe import MetadataResponse

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
TIMEOUT_S = 6.0


class FakeService:
    """Returns its name, or raises `error`. Each call takes `takes_s` of the fake clock."""

    def __init__(self, url: str, clock: Clock, calls: list[str]) -> None:
        self.url = url
        self.error: Exception | None = None
        self.takes_s = 0.0
        self._clock = clock
        self._calls = calls

    def infer(self, windows: np.ndarray) -> InferenceResult:
        self._ask()
        return InferenceResult(windows, self.url, "1")

    def metadata(self) -> MetadataResponse:
        self._ask()
        return MetadataResponse(self.url)

    def close(self) -> None:
        pass

    def _ask(self) -> None:
        self._calls.append(self.url)
        self._clock.now_s += self.takes_s
        if self.error:
            raise self.error


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """Three services a, b and c, and a record of the calls."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.called: list[str] = []
        self.services = {name: FakeService(name, self.clock, self.called) for name in "abc"}
        self.client = BalancedClient(list(self.services.values()), TIMEOUT_S, self.clock)

    def calls(self, count: int) -> str:
        """The services that `count` calls used, in order."""
        self.called.clear()
        for _ in range(count):
            self.client.infer(WINDOWS)
        return "".join(self.called)

    def end(self, name: str, error: Exception | None = None) -> None:
        self.services[name].error = error or ModelUnavailable(f"{name} is not reachable")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_calls_rotate_over_the_services(bench: Bench) -> None:
    assert bench.calls(6) == "abcabc"


def test_a_failed_call_goes_to_the_next_service_and_the_first_is_excluded(bench: Bench) -> None:
    bench.end("b")
    assert bench.calls(5) == "abcaca"


def test_an_excluded_service_is_retried_with_growing_pauses_and_returns(bench: Bench) -> None:
    bench.end("a")
    pauses = []
    for _ in range(10):
        assert "a" in bench.calls(2)
        failed_s = bench.clock.now_s
        while "a" not in bench.calls(2):
            bench.clock.now_s += FIRST_PAUSE_S / 4
        pauses.append(bench.clock.now_s - failed_s)
        bench.clock.now_s += 2 * MAX_PAUSE_S
    assert FIRST_PAUSE_S <= pauses[0] < 2 * FIRST_PAUSE_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(MAX_PAUSE_S)
    bench.services["a"].error = None
    assert Counter(bench.calls(9)) == {"a": 3, "b": 3, "c": 3}


def test_if_all_fail_the_error_has_each_reason_and_the_next_call_tries_all(bench: Bench) -> None:
    for name in "abc":
        bench.end(name, ModelUnavailable(f"{name} is away", {"a": 5.0, "b": 2.0, "c": 9.0}[name]))
    for _ in range(2):
        bench.called.clear()
        with pytest.raises(
            ModelUnavailable, match="of 3 model services responds: a is away; b is away; c is away"
        ) as raised:
            bench.client.infer(WINDOWS)
        assert raised.value.retry_after_s == 2.0
        assert sorted(bench.called) == ["a", "b", "c"]


def test_the_timeout_of_a_call_limits_the_services_tried(bench: Bench) -> None:
    for service in bench.services.values():
        service.takes_s, service.error = TIMEOUT_S, ModelUnavailable("no answer within 6 s")
    with pytest.raises(ModelUnavailable):
        bench.client.infer(WINDOWS)
    assert bench.called == ["a"]


def test_a_hanging_service_is_excluded_at_once_and_leaves_time_for_another(bench: Bench) -> None:
    hanging = bench.services["a"]
    hanging.takes_s, hanging.error = TIMEOUT_S / 2, ModelUnavailable("no answer within 3 s")
    assert bench.calls(1) == "ab"
    bench.clock.now_s += MAX_PAUSE_S - 1
    assert "a" not in bench.calls(4)


def test_a_service_that_rejects_what_another_accepts_is_excluded(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.end("a", ModelError("internal confusion"))
    assert bench.calls(3) == "abcb"
    assert (
        "excluding a model service for now: a rejects a request that another service accepts: internal confusion"
        in caplog.text
    )


def test_a_request_that_all_reject_excludes_no_service(bench: Bench) -> None:
    for name in "abc":
        bench.end(name, ModelError(f"{name} takes no such values"))
    for _ in range(2):
        with pytest.raises(ModelError, match="takes no such values"):
            bench.client.infer(WINDOWS)
    for name in "abc":
        bench.services[name].error = None
    assert sorted(bench.calls(3)) == ["a", "b", "c"]


def test_after_invalid_shape_metadata_and_next_call_use_the_same_service(bench: Bench) -> None:
    bench.calls(1)
    bench.end("b", InvalidShape("another window"))
    with pytest.raises(InvalidShape):
        bench.client.infer(WINDOWS)
    bench.services["b"].error = None
    assert bench.client.metadata().name == "b"
    assert bench.client.infer(WINDOWS).model_name == "b"
    assert bench.calls(2) == "ca"


@pytest.mark.parametrize(
    ("urls", "reason"),
    [
        ("", "an address is missing"),
        ("http://a:1,,http://b:2", "an address is missing in 'http://a:1,,http://b:2'"),
        ("http://a:1, b:2", "'b:2' is not the address of a model service; expected http://host:port"),
        ("http://a:1, http://a:1", "'http://a:1' is listed twice"),
        ("http://a:1 http://b:2", "not the address|percent-encode"),
        ("http://a:99999", "'http://a:99999' is not the address of a model service: .*0-65535"),
        ("http://a:0", "is not the address"),
        ("grpc://a:1", r"expected http://host:port or https://host:port"),
        (",".join(f"http://a:{port}" for port in range(1, 66)), "65 addresses of model services; at most 64"),
    ],
)
def test_an_invalid_list_of_addresses_is_rejected_with_the_reason(urls: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        connect_graphpipe(urls)


def test_one_address_needs_no_balancing() -> None:
    assert isinstance(connect_graphpipe(" http://a:1 "), GraphPipeClient)
    assert isinstance(connect_graphpipe("http://a:1 , http://b:1/forecast"), BalancedClient)
