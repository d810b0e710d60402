"""What a producer ends that takes over an identity, on a real broker: seen by readers of uncommitted records alone."""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from kafka_container import eventually

from consumer.group_offsets import GroupOffsets
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
    markers = Markers(servers, [stage.metrics], [stage.forecasts, stage.dead])
    return Leftovers(markers, GroupOffsets(servers, stage.metrics))


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


def test_pending_offsets_are_told_from_a_group_without(exact_stage):
    stage = exact_stage
    offsets, mine = (
        GroupOffsets({"bootstrap.servers": stage.bootstrap_servers}, stage.metrics),
        producer(stage, "a"),
    )
    partitions = [(stage.metrics, 2), (stage.metrics, 3)]
    assert not offsets.are_pending(partitions)
    mine.begin_transaction()
    mine.send_offsets_to_transaction([TopicPartition(stage.metrics, 3, 7)], offsets.metadata(), 10)
    assert offsets.are_pending(partitions)
    assert not offsets.are_pending(partitions[:1])
    mine.commit_transaction(10)
    eventually(lambda: not offsets.are_pending(partitions))
    assert offsets.known(partitions)[stage.metrics, 3].offset == 7


@pytest.mark.parametrize(
    "own",
    [
        {"group.protocol": "consumer"},
        {"group.instance.id": "one"},
    ],
    ids=str,
)
def test_whoever_is_no_member_is_not_taken_for_one(exact_stage, own):
    """While the group has members, as it has when a producer takes over in mid-stream."""
    stage = exact_stage
    servers = {"bootstrap.servers": stage.bootstrap_servers}
    member = Consumer({**servers, "group.id": stage.metrics, **own})
    member.subscribe([stage.metrics])
    eventually(lambda: member.poll(0.1) or member.assignment())
    offsets, mine = GroupOffsets(servers | own, stage.metrics), producer(stage, "mine")
    mine.begin_transaction()
    mine.send_offsets_to_transaction([TopicPartition(stage.metrics, 3, 7)], offsets.metadata(), 10)
    mine.commit_transaction(10)
    assert committed(stage, 3) == 7
    member.close()


TOKEN = "of-this-transaction"


def doubtful_after(stage, told: list[Sent], offsets: bool) -> tuple[Leftovers, Producer, Transaction]:
    """A transaction of which the broker has told these partitions, and the group its offsets or not; of the rest it
    holds nothing, as after an abort."""
    leftovers, mine = of_stage(stage), producer(stage, "mine")
    end(leftovers, mine)  # so it knows where all ended before
    asked = {(stage.metrics, 0): 5, (stage.metrics, 2): 2}
    doubtful = leftovers.transaction(records_of(stage), asked, TOKEN, time.time())
    mine.begin_transaction()
    publish(mine, told)
    if offsets:
        reader = group(stage)
        mine.send_offsets_to_transaction(doubtful.positions(), reader.consumer_group_metadata(), 10)
        reader.close()
    mine.commit_transaction(10)
    return leftovers, mine, doubtful


@contextlib.contextmanager
def pending(stage, leftovers: Leftovers, doubtful: Transaction) -> Iterator[None]:
    """Its offsets, until something is done about them: as the broker holds them that was not told of its end."""
    left, is_seen_to = producer(stage, "left-pending"), threading.Event()
    metadata = leftovers._offsets.metadata
    left.begin_transaction()
    left.send_offsets_to_transaction(doubtful.positions(), metadata(), 10)

    def sees_to_them():
        is_seen_to.set()
        return metadata()

    def abort() -> None:
        is_seen_to.wait(30)
        left.abort_transaction(10)

    leftovers._offsets.metadata = sees_to_them
    ending = threading.Thread(target=abort)
    ending.start()
    try:
        yield
    finally:
        is_seen_to.set()
        ending.join(20)


@pytest.mark.parametrize("partitions", [(0, 1, 2), (0,), (2, 1), ()], ids=str)
@pytest.mark.parametrize("offsets", [True, False], ids=["offsets-told", "offsets-pending"])
def test_what_was_committed_in_part_is_committed_whole(exact_stage, partitions, offsets):
    stage = exact_stage
    records = records_of(stage)
    told = [sent for sent in records if sent.partition in partitions]
    leftovers, mine, doubtful = doubtful_after(stage, told, offsets)
    with contextlib.nullcontext() if offsets else pending(stage, leftovers, doubtful):
        end(leftovers, mine, doubtful)
    if not told and not offsets:
        assert read(stage) == []  # nothing tells that it was committed: whoever published it does so again
        assert committed(stage) < 0
        return
    assert read(stage) == expected(records)
    assert (committed(stage), committed(stage, 2)) == (5, 2)
    end(leftovers, mine, doubtful)  # once more, as after a failure just before the end
    assert read(stage) == expected(records)


def test_what_another_did_again_is_not_taken_for_it(exact_stage):
    """Its broker let it time out, and the partition's next owner has published the same and committed its offsets."""
    stage = exact_stage
    leftovers, mine, doubtful = doubtful_after(stage, records_of(stage)[:4], offsets=False)
    reader = group(stage)
    positions = [TopicPartition(*partition, offset) for partition, offset in doubtful.offsets.items()]
    reader.commit(offsets=positions, asynchronous=False)
    reader.close()
    end(leftovers, mine, doubtful)
    assert read(stage) == expected(records_of(stage)[:4])


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
    doubtful.is_committed = True  # as the broker had said
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
    doubtful = leftovers.transaction(records, {}, TOKEN, time.time())
    mine.begin_transaction()
    publish(mine, records)
    mine.commit_transaction(10)
    assert not leftovers._markers.are_written(doubtful)
    assert not leftovers._markers.are_written(doubtful, closely=True)
    assert leftovers._markers.are_written(doubtful)  # what is open there was seen to be another's
    doubtful.offsets, doubtful.is_committed = {(stage.metrics, 0): 5}, True
    ended = threading.Thread(target=end, args=(leftovers, mine, doubtful))
    ended.start()
    ended.join(1)
    assert ended.is_alive()  # whether its records are committed cannot be seen behind the other's
    other.abort_transaction(10)
    ended.join(20)
    assert not ended.is_alive()
    assert read(stage) == expected(records)
    assert committed(stage) == 5
