"""Records from messages of the Kafka driver."""

from __future__ import annotations

import pytest

from consumer.kafka.message import to_record
from interceptor.chain import read_delivery
from interceptor.dead_letter import headers
from interceptor.delivery import Delivery


@pytest.mark.guarantee("headers that the client cannot read are reported and left out")
def test_headers_that_the_driver_cannot_read_are_reported_and_left_out():
    """A header's name that is not UTF-8: confluent-kafka 2.16 raises SystemError."""

    class Message:
        def topic(self):
            return "metrics"

        def partition(self):
            return 0

        def offset(self):
            return 7

        def timestamp(self):
            return (1, 1000)

        def key(self):
            return b"key"

        def value(self):
            return b"[1]"

        def headers(self):
            raise SystemError("returned a result with an exception set")

    delivery = Delivery(to_record(Message()))
    read_delivery(delivery)
    assert (delivery.record.key, delivery.record.value) == (b"key", b"[1]")
    letter = headers(delivery, delivery.outcome)
    assert b"a header's name is not valid UTF-8" in dict(letter)["fncast-reason"]
    assert dict(letter)["fncast-offset"] == b"7"
