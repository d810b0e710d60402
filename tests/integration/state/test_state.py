"""State of interceptors through restarts: tests/consumer/state/running_sums.py counts on each broker and guarantee."""

from __future__ import annotations

import pytest
from sums import check, produce, wait_for_all, with_sums
from testbed import DeliveryTestbed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
def sums(testbed: DeliveryTestbed) -> DeliveryTestbed:
    return with_sums(testbed)


def test_sums_continue_after_a_clean_stop(sums: DeliveryTestbed) -> None:
    produce(sums, 400)
    consumer = sums.consume()
    wait_for_all(sums)
    assert consumer.terminate() == 0
    again = sums.consume()
    produce(sums, 200, first=401)
    wait_for_all(sums)
    assert again.terminate() == 0
    check(sums)
    assert "restored the state of" in again.log()
    assert " 0 records read again" in again.log()


def test_sums_continue_after_a_kill(sums: DeliveryTestbed) -> None:
    produce(sums, 1000)
    consumer = sums.consume()
    sums.wait_for(sums.forecasts, 300)
    consumer.kill()
    again = sums.consume()
    produce(sums, 500, first=1001)
    wait_for_all(sums)
    assert again.terminate() == 0
    check(sums, repeats=not sums.is_exactly_once)
