from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from fncast.produce.publisher import PublishError, TopicPublisher


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """librdkafka's mock cluster, which exists as long as its client."""
    client = Producer({"bootstrap.servers": "ignored:1", "test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(
        f"{broker.host}:{broker.port}" for broker in client.list_topics(timeout=10).brokers.values()
    )
    del client


def read(broker: str, topic: str, count: int) -> list[tuple[int, bytes, bytes, list[tuple[str, bytes]]]]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": topic, "auto.offset.reset": "earliest"})
    try:
        consumer.assign(
            [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(4)]
        )  # without a consumer group
        found = []
        for _ in range(100):
            found += consumer.consume(count - len(found), 0.2)
            if len(found) >= count:
                break
        return [(m.partition(), m.key(), m.value(), m.headers()) for m in found]
    finally:
        consumer.close()


def test_records_arrive_with_their_headers_and_equal_keys_in_order(broker: str) -> None:
    publisher = TopicPublisher({"bootstrap.servers": broker}, "ordered")
    publisher.connect(10)
    for number in range(200):
        publisher.publish(KafkaMessage({"ce_id": b"%d" % number}, f"key-{number % 5}", b"%d" % number))
    publisher.flush(10)
    assert publisher.delivered == 200
    found = read(broker, "ordered", 200)
    assert len(found) == 200
    for key in {record[1] for record in found}:
        values = [int(value) for _, record_key, value, _ in found if record_key == key]
        assert values == sorted(values)
        assert len({record[0] for record in found if record[1] == key}) == 1
    assert all(headers == [("ce_id", value)] for _, _, value, headers in found)


def test_publish_waits_while_the_queue_is_full(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fncast.produce.publisher.QUEUE_RECORDS", 10)
    publisher = TopicPublisher({"bootstrap.servers": broker}, "narrow")
    publisher.connect(10)
    for number in range(300):
        publisher.publish(KafkaMessage({}, None, b"%d" % number))
    publisher.flush(10)
    assert publisher.delivered == 300


def test_connect_names_a_broker_that_does_not_answer() -> None:
    publisher = TopicPublisher({"bootstrap.servers": "127.0.0.1:1"}, "metrics")
    with pytest.raises(PublishError, match=r"Kafka at 127\.0\.0\.1:1 does not answer: .*gave up after 0.5 s"):
        publisher.connect(0.5)


def test_a_record_without_acknowledgement_is_an_error() -> None:
    publisher = TopicPublisher({"bootstrap.servers": "127.0.0.1:1"}, "metrics", delivery_s=0.5)
    publisher.publish(KafkaMessage({}, None, b"x"))
    with pytest.raises(PublishError, match="1 record did not reach topic 'metrics' on 127"):
        publisher.flush(10)


class MisleadingBroker:
    """A broker whose advertised.listeners is wrong: a proxy to the mock cluster that replaces the port in responses."""

    def __init__(self, real: str, advertised_port: int) -> None:
        host, _, port = real.rpartition(":")
        self._upstream = (host, int(port))
        self._real, self._wrong = int(port).to_bytes(4, "big"), advertised_port.to_bytes(4, "big")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.create_connection(self._upstream)
                for ends in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._copy, args=ends, daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data.replace(self._real, self._wrong))

    def close(self) -> None:
        self._listener.close()


def test_a_wrong_advertised_address_is_named(
    broker: str, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = MisleadingBroker(broker, unused_tcp_port)
    publisher = TopicPublisher({"bootstrap.servers": wrong.address}, "metrics", delivery_s=2.0)
    reason = (
        f"Kafka answers at {wrong.address}, but the broker 127.0.0.1:{unused_tcp_port} cannot be reached:"
        " connection refused. The brokers advertise this address: check advertised.listeners"
    )
    publisher.connect(10.0)
    publisher.publish(KafkaMessage({}, None, b"x"))
    with pytest.raises(PublishError) as error:
        publisher.flush(10)
    assert f"1 record did not reach topic 'metrics' on {wrong.address}: {reason}" in str(error.value)
    assert [message for message in caplog.messages if message.startswith(reason)]
    wrong.close()


def test_a_record_that_is_too_large_is_an_error(broker: str) -> None:
    publisher = TopicPublisher({"bootstrap.servers": broker}, "metrics")
    with pytest.raises(PublishError, match="too large"):
        publisher.publish(KafkaMessage({}, None, bytes(20_000_000)))


def test_an_unknown_property_is_named() -> None:
    with pytest.raises(PublishError, match=r'No such configuration property: "no\.such"'):
        TopicPublisher({"bootstrap.servers": "127.0.0.1:1", "no.such": "1"}, "metrics")
