"""What an earlier producer left open: which partitions are touched, and what happens when the broker refuses."""

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumer.exactly_once import ExactlyOnce
from consumer.leftovers import Leftovers


class Client:
    """A producer that notes its calls, and refuses or does not end what a test says."""

    def __init__(self, refuses: str = "", left: int = 0) -> None:
        self.calls: list[tuple] = []
        self._refuses, self._left = refuses, left

    def __getattr__(self, name):
        def call(*words):
            self.calls.append((name, *words))
            if name == self._refuses:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_MEMBER_ID, "refused"))
            return self._left if name == "flush" else None

        return call

    @property
    def names(self) -> list[str]:
        return [name for name, *_ in self.calls]


@pytest.fixture
def leftovers(monkeypatch):
    made = Leftovers({"bootstrap.servers": "127.0.0.1:9"}, "group", "metrics", ["forecasts", "dead-letters"])
    monkeypatch.setattr(made, "_open", lambda producer: [TopicPartition("forecasts", 2)])
    return made


@pytest.mark.parametrize("refuses", ["", "send_offsets_to_transaction"])
def test_what_is_open_is_touched_and_aborted_even_if_the_offsets_are_refused(leftovers, refuses):
    producer = Client(refuses)
    leftovers.end(producer)
    assert producer.names == [
        "begin_transaction",
        "produce",
        "flush",
        "send_offsets_to_transaction",
        "abort_transaction",
    ]
    (_, topic, _, _, partition) = producer.calls[1]
    assert (topic, partition) == ("forecasts", 2)


def test_what_the_broker_did_not_acknowledge_is_not_taken_for_ended(leftovers):
    producer = Client(left=1)
    with pytest.raises(KafkaException, match="does not answer"):
        leftovers.end(producer)
    assert "abort_transaction" not in producer.names


def test_a_publisher_is_ready_once_nothing_is_left_open(monkeypatch, leftovers):
    clients = []

    def make(self):
        clients.append(Client("abort_transaction" if not clients else ""))
        return clients[-1]

    monkeypatch.setattr(ExactlyOnce, "_make", make)
    publisher = ExactlyOnce({}, "murmur2_random", "one", leftovers)
    assert not publisher.start()  # the broker refuses: a new producer tries it again
    assert publisher.start()
    assert [client.names[0] for client in clients] == ["init_transactions", "init_transactions"]
    assert clients[1].names[-1] == "abort_transaction"
    publisher.finish({("metrics", 0): 1}, "metadata")
    assert clients[1].names[-1] == "commit_transaction"
