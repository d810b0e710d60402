"""What a producer ends that takes over an identity, on a real broker: seen by readers of uncommitted records alone."""

import threading
import time

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from kafka_container import eventually

from consumer.leftovers import VALUE, Leftovers
from consumer.markers import Markers
from consumer.transaction import Sent, Transaction

pytestmark = [pytest.mark.integration, pytest.mark.docker]

HEADERS = [("ce_id", b"1")]


def producer(stage, identity: str) -> Producer:
    made = Producer(
        {"bootstrap.servers": stage.bootstrap_servers, "transactional.id": f"{stage.metrics}-{identity}"}
    )
    made.init_transactions(30)
    return made


def of_stage(stage) -> Leftovers:
    servers = {"bootstrap.servers": stage.bootstrap_servers}
    return Leftovers(Markers(servers, stage.metrics, [stage.metrics], [stage.forecasts, stage.dead]))


def group(stage) -> Consumer:
    return Consumer({"bootstrap.servers": stage.bootstrap_servers, "group.id": stage.metrics})


def committed(stage, partition: int = 0) -> int:
    reader = group(stage)
    try:
        (told,) = reader.committed([TopicPartition(stage.metrics, partition)], 10)
        return told.offset
    finally:
        reader.close()


def end(leftovers: Leftovers, by: Producer, doubtful: Transaction | None = None) -> None:
    """Topics that were just made have no leader for a moment."""

    def is_ended() -> bool:
        try:
            leftovers.end(by, doubtful)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.NOT_LEADER_FOR_PARTITION:
                return False
            raise
        return True

    eventually(is_ended)


def publish(by: Producer, records: list[Sent]) -> None:
    for sent in records:
        by.produce(sent.topic, sent.value, sent.key, sent.partition, headers=sent.headers)
    assert by.flush(10) == 0


def records_of(stage) -> list[Sent]:
    """Three on one partition, of which two are the same, two on another, and a dead letter."""
    values = [(0, b"a"), (0, b"b"), (0, b"b"), (2, b"c"), (2, b"d")]
    sent = [Sent(stage.forecasts, partition, b"key", value, HEADERS) for partition, value in values]
    return [*sent, Sent(stage.dead, 1, None, None, [])]


def read(stage) -> list[tuple]:
    """What readers of committed records see, by partition and in order."""
    messages = [*stage.read_all(stage.forecasts), *stage.read_all(stage.dead)]
    return sorted(
        ((message.topic(), message.partition(), message.value()) for message in messages),
        key=lambda seen: seen[:2],
    )


def expected(records: list[Sent]) -> list[tuple]:
    return sorted(((sent.topic, sent.partition, sent.value) for sent in records), key=lambda seen: seen[:2])


def test_it_touches_partitions_with_an_open_transaction_and_readers_see_nothing_of_it(exact_stage):
    stage = exact_stage
    leftovers = of_stage(stage)
    mine, other = producer(stage, "mine"), producer(stage, "other")
    end(leftovers, mine)
    assert stage.read_all(stage.forecasts, "read_uncommitted") == []  # nothing is open
    other.begin_transaction()
    other.produce(stage.forecasts, b"of another", partition=1)
    other.flush(10)
    end(leftovers, mine)
    other.commit_transaction(10)
    touched = [message.partition() for message in stage.read_all(stage.forecasts, "read_uncommitted")]
    assert touched == [1, 1]
    mine.begin_transaction()
    mine.produce(stage.forecasts, b"of mine", partition=1)
    mine.commit_transaction(10)
    seen = {message.value() for message in stage.read_all(stage.forecasts)}
    assert seen == {b"of another", b"of mine"}
    assert VALUE not in seen
    assert committed(stage) < 0  # the group's offsets are as they were


def test_pending_offsets_are_ended(exact_stage):
    """Of an identity that is not this one: they stay until its transaction ends, and a read of them would wait."""
    stage = exact_stage
    leftovers, mine = of_stage(stage), producer(stage, "mine")
    reader = group(stage)
    mine.begin_transaction()
    mine.send_offsets_to_transaction(
        [TopicPartition(stage.metrics, 3, 7)], reader.consumer_group_metadata(), 10
    )
    leftovers._markers.look()
    assert leftovers._markers.are_offsets_pending()
    mine.abort_transaction(10)
    end(leftovers, mine)
    assert not leftovers._markers.are_offsets_pending()
    reader.close()


def doubtful_after(stage, told: list[Sent], offsets: bool) -> tuple[Leftovers, Producer, Transaction]:
    """A transaction of which the broker has told these partitions, and the group its offsets or not; of the rest it
    holds nothing, as after an abort."""
    leftovers, mine = of_stage(stage), producer(stage, "mine")
    end(leftovers, mine)  # so it knows where all ended before
    asked = {(stage.metrics, 0): 5, (stage.metrics, 2): 2}
    doubtful = leftovers.transaction(records_of(stage), asked, time.time())
    mine.begin_transaction()
    publish(mine, told)
    if offsets:
        reader = group(stage)
        positions = [TopicPartition(*partition, offset) for partition, offset in asked.items()]
        mine.send_offsets_to_transaction(positions, reader.consumer_group_metadata(), 10)
        reader.close()
    mine.commit_transaction(10)
    return leftovers, mine, doubtful


@pytest.mark.parametrize("partitions", [(0, 1, 2), (0,), (2, 1), ()], ids=str)
@pytest.mark.parametrize("offsets", [True, False], ids=["offsets-told", "offsets-not-told"])
def test_what_was_committed_in_part_is_committed_whole(exact_stage, partitions, offsets):
    stage = exact_stage
    records = records_of(stage)
    told = [sent for sent in records if sent.partition in partitions]
    leftovers, mine, doubtful = doubtful_after(stage, told, offsets)
    end(leftovers, mine, doubtful)
    if not told and not offsets:
        assert read(stage) == []  # nothing tells that it was committed: whoever published it does so again
        assert committed(stage) < 0
        return
    assert read(stage) == expected(records)
    assert (committed(stage), committed(stage, 2)) == (5, 2)
    end(leftovers, mine, doubtful)  # once more, as after a failure just before the end
    assert read(stage) == expected(records)


def test_what_is_open_of_a_committed_one_is_published_again(exact_stage):
    """The markers of one partition are left out: its records stay open, as another identity's do here."""
    stage = exact_stage
    records = records_of(stage)
    leftovers, mine, doubtful = doubtful_after(
        stage, [sent for sent in records if sent.partition != 0], offsets=True
    )
    left = producer(stage, "left-open")
    left.begin_transaction()
    publish(left, [sent for sent in records if sent.partition == 0])
    assert not leftovers._markers.are_written(doubtful, closely=True)
    left.abort_transaction(10)
    end(leftovers, mine, doubtful)
    assert leftovers._markers.are_written(doubtful)
    assert read(stage) == expected(records)


def test_somebody_who_came_further_is_not_set_back(exact_stage):
    stage = exact_stage
    leftovers, mine, doubtful = doubtful_after(stage, records_of(stage), offsets=False)
    reader = group(stage)
    reader.commit(offsets=[TopicPartition(stage.metrics, 0, 9)], asynchronous=False)
    reader.close()
    end(leftovers, mine, doubtful)
    assert (committed(stage), committed(stage, 2)) == (9, 2)


def test_an_open_transaction_of_another_producer_is_waited_for_and_not_mistaken(exact_stage):
    stage = exact_stage
    records = records_of(stage)
    leftovers, mine, other = of_stage(stage), producer(stage, "mine"), producer(stage, "other")
    end(leftovers, mine)
    other.begin_transaction()
    other.produce(stage.forecasts, b"of another", partition=0)
    other.flush(10)
    doubtful = leftovers.transaction(records, {}, time.time())
    mine.begin_transaction()
    publish(mine, records)
    mine.commit_transaction(10)
    assert not leftovers._markers.are_written(doubtful)
    assert not leftovers._markers.are_written(doubtful, closely=True)
    assert leftovers._markers.are_written(doubtful)  # what is open there was seen to be another's
    doubtful.offsets = {(stage.metrics, 0): 5}
    ended = threading.Thread(target=end, args=(leftovers, mine, doubtful))
    ended.start()
    ended.join(1)
    assert ended.is_alive()  # whether its records are committed cannot be seen behind the other's
    other.abort_transaction(10)
    ended.join(20)
    assert not ended.is_alive()
    assert read(stage) == expected(records)
    assert committed(stage) == 5
