"""The expected time of a call."""

from __future__ import annotations

from model_service.serving.call_cost import CallCost


def test_the_expected_cost_follows_the_measured_cost() -> None:
    cost = CallCost()
    assert cost.expected_s(10) == float("inf")
    cost.observe(10, 1.0)
    assert cost.expected_s(15) == 1.0  # the same power of two
    assert cost.expected_s(16) == float("inf")
    cost.observe(10, 0.1)
    cost.observe(10, 5.0)  # something else took the machine
    assert cost.expected_s(10) == 0.1
    for _ in range(CallCost.REMEMBERED_CALLS):
        cost.observe(10, 0.4)
    assert cost.expected_s(10) == 0.4
