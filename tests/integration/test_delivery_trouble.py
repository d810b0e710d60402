"""The part of the delivery contract that needs Kafka: rebalances, zombies, outages of Kafka, sizes."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import Counter

import psutil
import pytest
from aiohttp import web
from confluent_kafka.admin import NewTopic
from kafka_container import PARTITIONS, free_port, paused

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(150)]


def attribute(message, name: str) -> str:
    return dict(message.headers())[name].decode()


def inputs_of(messages) -> list[str]:
    return [attribute(message, "ce_causationid") for message in messages]


def is_in_order(ids) -> bool:
    last: dict[str, int] = {}
    for key, number in ((id_.split(":")[0], int(id_.split(":")[1])) for id_ in dict.fromkeys(ids)):
        if number <= last.get(key, -1):
            return False
        last[key] = number
    return True


def check(testbed, ids, *, repeats: bool) -> None:
    outputs = inputs_of(testbed.read_all(testbed.forecasts))
    assert set(outputs) == set(ids)
    if not repeats:
        assert max(Counter(outputs).values()) == 1
    assert is_in_order(outputs)


def all_there(testbed, ids):
    return lambda: set(inputs_of(testbed.read_all(testbed.forecasts))) >= set(ids)


@pytest.mark.guarantee("partitions move between members without loss or repeat")
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_two_consumers_share_and_hand_over_without_loss_or_repeat(
    exactly_once_testbed, answers, until, protocol
):
    testbed = exactly_once_testbed
    testbed.variables["KAFKA__CLIENT__GROUP_PROTOCOL"] = protocol
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(500)
    first = testbed.consume("one", FN__BATCH_EVENTS="16")
    first.wait_for("assigned")
    second = testbed.consume("two", FN__BATCH_EVENTS="16")
    second.wait_for("assigned")
    first.wait_for("revoked")  # cooperative: only a part is revoked
    ids += testbed.produce_many(1000, first=500)
    assert first.terminate() == 0
    ids += testbed.produce_many(500, first=1500)
    until(all_there(testbed, ids), 40, "all forecasts")
    assert second.terminate() == 0
    check(testbed, ids, repeats=False)


@pytest.mark.guarantee("a member that was stopped past its session publishes nothing twice and joins again")
def test_a_zombie_publishes_nothing_twice_and_joins_again(exactly_once_testbed, answers, until):
    testbed = exactly_once_testbed
    testbed.function.behaviour = answers.at_random
    zombie = testbed.consume("zombie", FN__BATCH_EVENTS="16")
    ids = testbed.produce_many(1500)
    testbed.wait_for(testbed.forecasts, 100)
    zombie.process.send_signal(signal.SIGSTOP)
    heir = testbed.consume("heir", FN__BATCH_EVENTS="16")
    ids += testbed.produce_many(500, first=1500)
    until(all_there(testbed, ids), 40, "the heir has done the zombie's work")  # its session ends after 10 s
    zombie.process.send_signal(signal.SIGCONT)
    zombie.wait_for("lost")
    ids += testbed.produce_many(500, first=2000)
    until(all_there(testbed, ids), 40, "all forecasts")
    until(lambda: zombie.log().count("assigned") >= 2, 20, "the zombie has partitions again")
    assert zombie.terminate() == 0
    assert heir.terminate() == 0
    check(testbed, ids, repeats=False)


@pytest.mark.guarantee("the partitions of a killed consumer flow again within 25 s")
def test_partitions_of_a_killed_consumer_have_output_again_within_25_s(exactly_once_testbed, answers, until):
    testbed = exactly_once_testbed
    testbed.function.behaviour = answers.at_random
    killed, other = testbed.consume("killed"), testbed.consume("other")
    killed.wait_for("assigned")
    other.wait_for("assigned")
    ids = testbed.produce_many(500)
    killed.kill()
    ids += testbed.produce_many(500, first=500)
    until(all_there(testbed, ids), 25, "all forecasts")
    assert other.terminate() == 0
    check(testbed, ids, repeats=False)


@pytest.mark.guarantee("a record that the broker refuses is a dead letter; nothing is scored twice")
def test_a_record_that_the_broker_rejects_is_a_dead_letter_and_no_event_is_scored_twice(
    kafka_testbed, answers, until
):
    """The transaction is aborted, and its results are published again from memory."""
    testbed = kafka_testbed

    async def behaviour(events):
        return answers.batch(
            [answers.forecast(e) | ({"data": "x" * 1_070_000} if e["id"] == "k3:43" else {}) for e in events]
        )

    testbed.function.behaviour = behaviour
    ids = testbed.produce_many(100)
    consumer = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    until(all_there(testbed, [id_ for id_ in ids if id_ != "k3:43"]), 20, "the others")
    assert consumer.terminate() == 0
    assert attribute(letter, "ce_id") == "k3:43"
    assert "cannot be published" in attribute(letter, "fncast-reason")
    assert sorted(testbed.function.called_ids) == sorted(ids)
    check(testbed, [id_ for id_ in ids if id_ != "k3:43"], repeats=not testbed.is_exactly_once)


@pytest.mark.guarantee("a record without a key for a compacted topic is a dead letter")
def test_a_record_without_key_for_a_compacted_topic_is_a_dead_letter(kafka_testbed, until):
    """The broker rejects the record, and names it among the records of a batch."""
    testbed = kafka_testbed
    testbed.forecasts = f"compacted-{testbed.tag}"
    testbed.create_topics(NewTopic(testbed.forecasts, PARTITIONS, config={"cleanup.policy": "compact"}))
    ids = testbed.produce_many(50)
    bare = [f"bare:{number}" for number in range(100)]
    for number, id_ in enumerate(bare):
        testbed.produce(id_, partition=number % PARTITIONS)
    ids += testbed.produce_many(50, first=50)
    consumer = testbed.consume()
    letters = testbed.wait_for(testbed.dead, len(bare))
    until(all_there(testbed, ids), 20, "the others")
    assert consumer.terminate() == 0
    assert {attribute(letter, "ce_id") for letter in letters} == set(bare)
    assert "the broker rejects the record" in attribute(letters[0], "fncast-reason")
    assert sorted(testbed.function.called_ids) == sorted(ids + bare)
    check(testbed, ids, repeats=not testbed.is_exactly_once)


@pytest.mark.guarantee("the largest input fits into a dead letter where fncast creates the topic")
def test_the_largest_input_fits_into_a_dead_letter(exactly_once_testbed):
    testbed = exactly_once_testbed
    testbed.produce("", b"k", b"x" * 990_000, [("why", b"no event")])
    testbed.flush()
    consumer = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    assert len(letter.value()) == 990_000
    assert consumer.terminate() == 0


@pytest.mark.guarantee("of two consumers with one identity one ends and names the setting")
def test_two_consumers_with_one_identity_end_with_a_clear_error_and_repeat_nothing(
    exactly_once_testbed, answers, until
):
    testbed = exactly_once_testbed
    testbed.function.behaviour = answers.at_random
    twins = [testbed.consume(name, KAFKA__INSTANCE="same", FN__BATCH_EVENTS="16") for name in ("one", "two")]
    ids: list[str] = []

    def has_ended() -> list:
        ids.extend(testbed.produce_many(20, first=len(ids)))
        return [twin for twin in twins if twin.process.poll() is not None]

    ended = until(has_ended, 90, lambda: [twin.log()[-1500:] for twin in twins])
    for twin in ended:
        assert twin.process.returncode == 1
        assert "give each its own [kafka] instance" in twin.log()
        assert "Traceback" not in twin.log()
    for twin in twins:
        if twin not in ended and twin.process.poll() is None:
            twin.terminate(within_s=10)
    alone = testbed.consume("alone")
    until(all_there(testbed, ids), 60, "all forecasts")
    assert alone.terminate() == 0
    check(testbed, ids, repeats=False)


@pytest.mark.guarantee("attempts survive a rebalance in which the partition stays")
def test_attempts_survive_a_rebalance_in_which_the_partition_stays(exactly_once_testbed, answers, until):
    """Each partition has a poison event. A consumer that keeps its partitions keeps the counts of their calls."""
    testbed = exactly_once_testbed
    most = 14  # attempts: about 10 s, in which the second consumer joins

    async def behaviour(events):
        if any(event["id"].startswith("poison") for event in events):
            return web.json_response({"message": "function failed"}, status=502)
        return await answers.works(events)

    testbed.function.behaviour = behaviour
    first = testbed.consume("one", FN__MAX_ATTEMPTS=str(most))
    first.wait_for("assigned")
    for partition in range(4):
        testbed.produce(f"good:{partition}", b"k", partition=partition)
    testbed.flush()
    testbed.wait_for(testbed.forecasts, 4)
    for partition in range(4):
        testbed.produce(f"poison:{partition}", b"k", partition=partition)
    testbed.flush()
    until(lambda: testbed.function.calls.count(["poison:0"]) >= 2, 20, "attempts")
    second = testbed.consume("two", FN__MAX_ATTEMPTS=str(most))
    first.wait_for("revoked")
    for partition in range(
        4
    ):  # without a success the second consumer could not distinguish poison from an outage
        testbed.produce(f"good:{4 + partition}", b"k", partition=partition)
    testbed.flush()
    line = next(line for line in first.log().splitlines() if " revoked " in line)
    kept = {str(partition) for partition in range(4)} - {name.rpartition("/")[2] for name in line.split(",")}
    assert kept, line
    letters = {
        attribute(letter, "ce_id"): letter for letter in testbed.wait_for(testbed.dead, 4, within_s=90)
    }
    for partition in kept:
        attempts = int(attribute(letters[f"poison:{partition}"], "fncast-attempts"))
        assert attempts >= most
        assert testbed.function.calls.count([f"poison:{partition}"]) == attempts
    for consumer in (first, second):
        assert consumer.terminate(within_s=10) == 0


@pytest.mark.guarantee("a dead letter that cannot be written stops the consumer with nothing committed")
def test_a_dead_letter_that_cannot_be_written_stops_the_consumer_with_nothing_committed(exactly_once_testbed):
    testbed = exactly_once_testbed
    testbed.dead = f"narrow-{testbed.tag}"
    testbed.create_topics(NewTopic(testbed.dead, 4, config={"max.message.bytes": "2000"}))
    testbed.produce("good:1", b"k", partition=0)
    testbed.produce("", b"k", b"x" * 10_000, [("why", b"no event")], partition=0)
    testbed.flush()
    consumer = testbed.consume()
    assert consumer.wait(60) == 1
    assert testbed.dead in consumer.log()
    assert "Traceback" not in consumer.log()
    testbed.dead = f"wide-{testbed.tag}"  # uncommitted records are read again, and no other
    again = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    assert len(letter.value()) == 10_000
    assert again.terminate() == 0
    assert inputs_of(testbed.read_all(testbed.forecasts)) == ["good:1"]


@pytest.mark.guarantee("missing topics are created with as many partitions as the input")
def test_missing_topics_are_created_like_the_input(exactly_once_testbed, answers):
    testbed = exactly_once_testbed
    testbed.forecasts, testbed.dead = f"new-forecasts-{testbed.tag}", f"new-dead-{testbed.tag}"
    ids = testbed.produce_many(50)
    testbed.produce("", b"k", b"x", [])
    testbed.flush()
    consumer = testbed.consume()
    testbed.wait_for(testbed.forecasts, 50)
    testbed.wait_for(testbed.dead, 1)
    assert consumer.terminate() == 0
    reader = testbed.reader()
    topics = reader.list_topics(timeout=10).topics
    reader.close()
    assert len(topics[testbed.forecasts].partitions) == len(topics[testbed.dead].partitions) == 4
    check(testbed, ids, repeats=False)


@pytest.mark.guarantee("order holds by key where input and output have different numbers of partitions")
def test_another_number_of_partitions_keeps_order_per_key(exactly_once_testbed, answers):
    testbed = exactly_once_testbed
    testbed.forecasts = f"few-{testbed.tag}"
    testbed.create_topics(NewTopic(testbed.forecasts, 3))
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(600)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    outputs = testbed.wait_for(testbed.forecasts, 600)
    assert consumer.terminate() == 0
    assert "order holds per key" in consumer.log()
    check(testbed, ids, repeats=False)
    partitions = {message.key(): set() for message in outputs}
    for message in outputs:
        partitions[message.key()].add(message.partition())
    assert all(len(of_key) == 1 for of_key in partitions.values())


@pytest.mark.guarantee("an unreachable broker is waited for; a stop does not wait")
def test_an_unreachable_broker_is_waited_for_and_a_stop_does_not_wait(kafka_testbed, free_address):
    testbed = kafka_testbed
    consumer = testbed.consume(KAFKA__BOOTSTRAP_SERVERS=free_address)
    consumer.wait_for(f"no Kafka answers at {free_address}; waiting for it")
    assert consumer.process.poll() is None
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log()


@pytest.fixture
def free_address() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.mark.guarantee("a broker that starts late is found")
def test_a_broker_that_starts_late_behind_a_proxy_is_found(exactly_once_testbed, free_address, until):
    """The consumer starts before the broker at its address."""
    testbed = exactly_once_testbed
    ids = testbed.produce_many(10)
    consumer = testbed.consume(KAFKA__BOOTSTRAP_SERVERS=free_address)
    consumer.wait_for("waiting for it")
    with Proxy(free_address, testbed.bootstrap_servers):
        until(all_there(testbed, ids), 25, "forecasts once the broker is there")
        assert consumer.terminate() == 0


class Proxy:
    """Passes bytes from one address to another."""

    def __init__(self, here: str, there: str) -> None:
        self._here, self._there = here.split(":"), there.split(":")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Proxy:
        self._thread.start()
        serving = asyncio.start_server(self._connected, *self._here)
        asyncio.run_coroutine_threadsafe(serving, self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._there)

        async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            while chunk := await source.read(65536):
                to.write(chunk)
                await to.drain()
            to.close()

        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer), return_exceptions=True)


@pytest.mark.guarantee("a single broker that is killed and restarted loses nothing (at-least-once)")
def test_a_broker_killed_and_restarted_in_the_middle(at_least_once_testbed, own_kafka, answers, until):
    testbed = at_least_once_testbed
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(3000)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    testbed.wait_for(testbed.forecasts, 300)
    own_kafka.kill()
    consumer.wait_for("Kafka:", 20)
    own_kafka.start()
    ids += testbed.produce_many(100, first=3000)
    until(all_there(testbed, ids), 90, "all forecasts")
    assert consumer.terminate() == 0
    check(testbed, ids, repeats=True)


@pytest.mark.guarantee("one of three brokers killed, restarted or paused costs only time")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("trouble", ["killed", "restarted", "paused"])
def test_faults_of_one_of_three_brokers_lose_nothing(cluster_testbed, cluster, answers, until, trouble):
    testbed = cluster_testbed
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(3000)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    testbed.wait_for(testbed.forecasts, 300)
    assert "KAFKA-20734" not in consumer.log()
    node = cluster.nodes[0]
    if trouble == "paused":
        with paused(node):
            ids += testbed.produce_many(100, first=3000)
    else:
        cluster.restart(node, is_killed=trouble == "killed")
        ids += testbed.produce_many(100, first=3000)
    until(all_there(testbed, ids), 120, "all forecasts")
    assert consumer.terminate() == 0
    check(testbed, ids, repeats=False)


@pytest.mark.guarantee("a stop while the broker is away ends within 5 s")
def test_a_stop_while_the_broker_is_away_ends_within_5_s(at_least_once_testbed, own_kafka, answers, until):
    testbed = at_least_once_testbed
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(2000)
    consumer = testbed.consume(FN__BATCH_EVENTS="8")
    testbed.wait_for(testbed.forecasts, 100)
    own_kafka.kill()
    try:
        assert consumer.terminate(within_s=6) == 0
        assert "Traceback" not in consumer.log()
    finally:
        own_kafka.start()
    again = testbed.consume()
    again.wait_for("assigned", 60)
    until(all_there(testbed, ids), 40, "all forecasts")
    assert again.terminate() == 0
    check(testbed, ids, repeats=True)


@pytest.mark.guarantee("memory stays bounded behind a function that hangs")
def test_memory_stays_bounded_behind_a_function_that_hangs(exactly_once_testbed, until):
    testbed = exactly_once_testbed

    async def hangs(_):
        await asyncio.sleep(60)

    testbed.function.behaviour = hangs
    for number in range(2_400):  # 240 MB wait. Without a bound, all of it would be read within 2 s
        testbed.produce(f"k:{number}", b"%d" % number, b'"' + b"x" * 100_000 + b'"')
    testbed.flush()
    consumer = testbed.consume()
    until(lambda: testbed.function.calls, 20, "a call")
    process = psutil.Process(consumer.pid)
    grown = [process.memory_info().rss]
    threading.Event().wait(2)  # growth shows only after some time
    grown.append(process.memory_info().rss)
    assert max(grown) < 120e6, grown
    assert consumer.terminate() == 0
