"""What an earlier producer left open: which transactions end it, and what happens when the broker refuses or hangs.

On a real broker: tests/integration/test_leftovers.py.
"""

import threading

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer import exactly_once
from consumer.errors import ConsumerError, GaveUp, OutcomeUnknown
from consumer.exactly_once import ExactlyOnce
from consumer.leftovers import Leftovers

OFFSETS = {("metrics", 0): 3}


class Client:
    """A producer that notes its calls, and refuses or does not end what a test says."""

    def __init__(self, refuses: str = "", left: int = 0) -> None:
        self.calls: list[tuple] = []
        self._refuses, self._left = refuses, left

    def __getattr__(self, name):
        def call(*words, **_):
            self.calls.append((name, *words))
            if name == self._refuses:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_MEMBER_ID, "refused"))
            return self._left if name == "flush" else None

        return call

    @property
    def names(self) -> list[str]:
        return [name for name, *_ in self.calls if name != "poll"]


class Markers:
    """What a broker would tell."""

    output_topics = ("forecasts", "dead-letters")
    inputs = (("metrics", 0), ("metrics", 1))
    may_be_left_out = True

    def __init__(self, open_: tuple = (), is_told: bool = True) -> None:
        self._open, self.is_told = list(open_), is_told
        self.ends: dict = {}
        self.looks = 0

    def look(self) -> None:
        self.looks += 1

    def open(self) -> list:
        return self._open

    def are_behind_others(self, _) -> bool:
        return False

    def are_written(self, transaction, *, closely: bool = False) -> bool:
        return self.is_told or not transaction.token

    def missing(self, transaction) -> list:
        return transaction.records


class Group:
    """What its coordinator would tell: nothing but that some offsets are pending, until a transaction ended them."""

    group_id = "group"

    def __init__(self, is_pending: bool = False) -> None:
        self.is_pending = is_pending

    def metadata(self) -> str:
        self.is_pending = False
        return "nobody's"

    def are_pending(self, _) -> bool:
        return self.is_pending

    def known(self, _) -> dict:
        return {}

    def stable(self, _) -> dict:
        return {}


def leftovers(open_: tuple = (), *, is_pending: bool = False, markers=None) -> Leftovers:
    return Leftovers(markers or Markers(open_), Group(is_pending))


def test_nothing_is_begun_where_nothing_is_open():
    producer = Client()
    leftovers().end(producer)
    assert producer.names == []


def test_what_is_open_is_touched_and_aborted():
    producer = Client()
    leftovers([("forecasts", 2)]).end(producer)
    assert producer.names == ["begin_transaction", "produce", "flush", "abort_transaction"]
    (_, topic, _, _, partition) = producer.calls[1]
    assert (topic, partition) == ("forecasts", 2)


def test_pending_offsets_are_ended_by_a_transaction_of_their_own():
    """So that neither is held up by what a login may not do with the other."""
    producer = Client()
    leftovers([("forecasts", 2)], is_pending=True).end(producer)
    assert producer.names[4:] == ["begin_transaction", "send_offsets_to_transaction", "abort_transaction"]
    _, (position,), metadata, _ = producer.calls[5]
    assert (position.topic, position.partition, metadata) == ("metrics", 0, "nobody's")


def test_what_the_broker_did_not_acknowledge_is_not_taken_for_ended():
    producer = Client(left=1)
    with pytest.raises(KafkaException, match="does not answer"):
        leftovers([("forecasts", 2)]).end(producer)
    assert "abort_transaction" not in producer.names


@pytest.fixture
def made(monkeypatch):
    """The clients, in the order in which they are made; the first refuses what a test says."""
    clients = []

    def make(self):
        clients.append(Client(make.refuses if not clients else ""))
        return clients[-1]

    make.refuses = ""
    monkeypatch.setattr(ExactlyOnce, "_make", make)
    return make, clients


def publisher(leftovers) -> ExactlyOnce:
    return ExactlyOnce({}, "murmur2_random", "one", leftovers)


def test_a_publisher_is_ready_once_nothing_is_left_open(made):
    make, clients = made
    make.refuses = "abort_transaction"
    one = publisher(leftovers([("forecasts", 2)]))
    assert not one.start()  # the broker refuses: a new producer tries it again
    assert one.start()
    assert [client.names[0] for client in clients] == ["init_transactions", "init_transactions"]
    assert clients[1].names[-1] == "abort_transaction"
    one.finish(OFFSETS, "metadata")
    assert clients[1].names[-1] == "commit_transaction"


def test_an_end_that_never_ends_costs_a_producer_and_not_the_consumer(made, monkeypatch):
    """Seen of send_offsets_to_transaction where the group's coordinator was not there yet (confluent-kafka 2.16)."""
    _, clients = made
    monkeypatch.setattr(exactly_once, "STEP_S", 0.01)
    monkeypatch.setattr(exactly_once, "ENDING_S", 0.02)

    class Hanging(Leftovers):
        def end(self, producer, doubtful=None):
            if producer is clients[0]:
                threading.Event().wait()
            super().end(producer, doubtful)

    one = publisher(Hanging(Markers(), Group()))
    assert not one.start()
    while len(clients) == 1:
        assert not one.start()
    assert one.start()
    assert len(clients) == 2


def test_a_topic_that_the_login_may_not_read_is_named(made):
    class Denied(Markers):
        def look(self):
            raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    with pytest.raises(
        ConsumerError, match="does not let this login use the topic 'dead-letters' or 'forecasts'"
    ):
        publisher(leftovers(markers=Denied())).start()


def test_a_commit_of_which_the_partitions_are_not_told_is_in_doubt_until_the_next_producer_has_looked(
    made, monkeypatch
):
    _, clients = made
    monkeypatch.setattr("consumer.leftovers.TELLING_S", 0.02)
    looked = []

    class Noting(Leftovers):
        def end(self, producer, doubtful=None):
            looked.append(doubtful)
            super().end(producer, doubtful)

    markers = Markers(is_told=False)
    one = publisher(Noting(markers, Group()))
    assert one.start()
    one.publish("forecasts", 1, b"key", b"value", [("ce_id", b"1")])
    with pytest.raises(OutcomeUnknown, match="has not told all partitions"):
        one.finish(OFFSETS, "metadata")
    assert len(clients) == 2
    markers.is_told = True
    assert one.start()
    none, doubtful = looked
    assert none is None
    assert [sent.value for sent in doubtful.records] == [b"value"]
    assert doubtful.offsets == OFFSETS
    one.abort()  # nothing is open
    assert one.start()
    assert len(looked) == 2


def test_a_commit_is_not_looked_after_where_no_marker_is_left_out(made):
    class Replicated(Markers):
        may_be_left_out = False

    one = publisher(leftovers(markers=Replicated(is_told=False)))
    assert one.start()
    one.publish("forecasts", 1, b"key", b"value", [])
    one.finish(OFFSETS, "metadata")
    assert one._records == []


def test_an_abort_that_fails_costs_a_producer_where_no_marker_is_left_out(made):
    make, clients = made
    make.refuses = "abort_transaction"

    class Replicated(Markers):
        may_be_left_out = False

    one = publisher(leftovers(markers=Replicated()))
    assert one.start()
    one.publish("forecasts", 1, b"key", b"value", [])
    one.abort()
    assert one.start()
    assert "init_transactions" in clients[1].names
    one.publish("forecasts", 1, b"key", b"value", [])
    one.finish(OFFSETS, "metadata")


def test_a_group_that_the_login_may_not_use_is_named(made):
    class Denied(Group):
        def are_pending(self, _):
            raise KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))

    with pytest.raises(ConsumerError, match="does not let this login use the group 'group'"):
        publisher(Leftovers(Markers(), Denied())).start()


def test_a_stop_does_not_wait_for_markers(made):
    one = publisher(leftovers(markers=Markers(is_told=False)))
    assert one.start()
    one.publish("forecasts", 1, b"key", b"value", [])
    one.give_up_at(0.0)
    with pytest.raises(GaveUp, match="before the broker had told all partitions"):
        one.finish(OFFSETS, "metadata")


def test_what_was_aborted_is_looked_after(made):
    markers = Markers()
    one = publisher(leftovers(markers=markers))
    assert one.start()
    one.publish("forecasts", 1, b"key", b"value", [])
    one.abort()
    assert markers.looks == 1
    assert one.start()
    assert markers.looks == 2
