"""The circuit breaker, with times passed in."""

import pytest

from interceptor.routes.breaker import OPEN_AFTER_FAILURES, CircuitBreaker
from tests.interceptor.deliveries import new_delivery


def test_it_opens_after_failures_in_a_row():
    breaker = CircuitBreaker()
    for _ in range(OPEN_AFTER_FAILURES - 1):
        assert not breaker.record_failure("down", 1.0, must_open=False)
    assert breaker.record_failure("down", 2.0, must_open=False)
    assert (breaker.is_open, breaker.opened_at_s, breaker.reason) == (True, 2.0, "down")
    assert not breaker.record_failure("still down", 3.0, must_open=False)  # it is open already


def test_a_success_in_between_resets_the_failures():
    breaker = CircuitBreaker()
    for _ in range(2 * OPEN_AFTER_FAILURES):
        breaker.record_failure("down", 1.0, must_open=False)
        breaker.record_success(None, 0.1)
    assert not breaker.is_open


def test_one_failure_opens_it_if_a_probe_must_decide():
    breaker = CircuitBreaker()
    assert breaker.record_failure("down", 1.0, must_open=True)
    assert breaker.is_open
    assert not breaker.is_outage  # a probe has not confirmed it


def test_an_outage_is_confirmed_once_and_ends_with_a_success():
    breaker = CircuitBreaker()
    good = new_delivery("good")
    breaker.record_failure("down", 5.0, must_open=True)
    assert [breaker.confirm_outage(), breaker.confirm_outage()] == [True, False]
    breaker.close()
    assert (breaker.is_open, breaker.is_outage, breaker.outages) == (False, True, 0)
    assert breaker.record_success(good, 0.1) == 5.0
    assert (breaker.is_outage, breaker.outages, breaker.known_good) == (False, 1, good)
    assert breaker.record_success(None, 0.1) is None
    assert breaker.known_good is good


@pytest.mark.parametrize(("durations_s", "slow_after_s"), [([], 5.0), ([0.1], 5.0), ([4.0, 1.0], 12.0)])
def test_a_call_is_slow_compared_with_the_slowest_success(durations_s, slow_after_s):
    breaker = CircuitBreaker()
    for duration_s in durations_s:
        breaker.record_success(None, duration_s)
    assert breaker.slow_after_s(5.0) == slow_after_s
