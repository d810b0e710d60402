"""What a producer ends that takes over an identity, on a real broker: seen by readers of uncommitted records alone."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from consumer.leftovers import VALUE, Leftovers

pytestmark = [pytest.mark.integration, pytest.mark.docker]


def producer(stage, identity: str) -> Producer:
    made = Producer(
        {"bootstrap.servers": stage.bootstrap_servers, "transactional.id": f"{stage.metrics}-{identity}"}
    )
    made.init_transactions(30)
    return made


def test_it_touches_partitions_with_an_open_transaction_and_readers_see_nothing_of_it(exact_stage):
    stage = exact_stage
    outputs = [stage.forecasts, stage.dead]
    leftovers = Leftovers(
        {"bootstrap.servers": stage.bootstrap_servers}, stage.metrics, stage.metrics, outputs
    )
    mine, other = producer(stage, "mine"), producer(stage, "other")
    leftovers.end(mine)
    assert stage.read_all(stage.forecasts, "read_uncommitted") == []  # nothing is open
    other.begin_transaction()
    other.produce(stage.forecasts, b"of another", partition=1)
    other.flush(10)
    leftovers.end(mine)
    other.commit_transaction(10)
    touched = [message.partition() for message in stage.read_all(stage.forecasts, "read_uncommitted")]
    assert touched == [1, 1]
    mine.begin_transaction()
    mine.produce(stage.forecasts, b"of mine", partition=1)
    mine.commit_transaction(10)
    seen = {message.value() for message in stage.read_all(stage.forecasts)}
    assert seen == {b"of another", b"of mine"}
    assert VALUE not in seen
    reader = Consumer({"bootstrap.servers": stage.bootstrap_servers, "group.id": stage.metrics})
    (committed,) = reader.committed([TopicPartition(stage.metrics, 0)], 10)
    reader.close()
    assert committed.offset < 0  # the group's offsets are as they were
