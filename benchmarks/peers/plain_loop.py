"""Reads an event, calls the function and publishes its answer, one event after the other.

`python plain_loop.py SERVERS GROUP TOPIC OUTPUT FUNCTION_URL at-least-once|exactly-once`
"""

import os
import signal
import sys
import time

import urllib3
from ce_headers import to_http, to_record
from confluent_kafka import Consumer, Message, Producer, TopicPartition

COMMIT_S = float(os.environ["COMMIT_S"])
servers, group, topic, output, url, delivery = sys.argv[1:]
exactly_once = delivery == "exactly-once"

consumer = Consumer(
    {
        "bootstrap.servers": servers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
    }
)
producer = Producer(
    {
        "bootstrap.servers": servers,
        "enable.idempotence": True,
        "linger.ms": 1,
        **({"transactional.id": group} if exactly_once else {}),
    }
)
client = urllib3.PoolManager(maxsize=1, retries=False)
positions: dict[int, int] = {}
stopping = False


def stop(*_: object) -> None:
    global stopping
    stopping = True


def handle(message: Message) -> None:
    headers = to_http(message.headers() or [])
    answer = client.request("POST", url, body=message.value(), headers=headers)
    if answer.status != 200:
        raise RuntimeError(f"the function answered {answer.status}")
    partition = message.partition()
    producer.produce(output, answer.data, message.key(), partition, headers=to_record(answer.headers))
    producer.poll(0)
    positions[partition] = message.offset() + 1


def commit() -> None:
    """Commit the offsets of the events that were published since the last commit."""
    offsets = [TopicPartition(topic, partition, offset) for partition, offset in positions.items()]
    positions.clear()
    if exactly_once:
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
        producer.commit_transaction()
        producer.begin_transaction()
    else:
        producer.flush()
        consumer.commit(offsets=offsets, asynchronous=False)


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
if exactly_once:
    producer.init_transactions()
    producer.begin_transaction()
consumer.subscribe([topic])
due_s = time.monotonic() + COMMIT_S
while not stopping:
    record = consumer.poll(0.05)
    if record is not None:
        if record.error():
            print(record.error(), file=sys.stderr, flush=True)
        else:
            handle(record)
    if positions and time.monotonic() > due_s:
        commit()
        due_s = time.monotonic() + COMMIT_S
if positions:
    commit()
consumer.close()
