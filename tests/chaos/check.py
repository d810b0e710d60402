"""The checker: compares the produced events with the output of a read-committed reader. It uses no other information.

usage: check.py PRODUCED BOOTSTRAP_SERVERS INPUT_TOPIC FORECASTS_TOPIC DEAD_LETTERS_TOPIC

PRODUCED holds one JSON object a line, in the order of production: {"id", "key", "is_poison", "forecast"}. `forecast` is
the first value of the event's forecast. `is_doubtful` marks events that the broker has not acknowledged. The input
topic is counted as well: an event that its producer wrote twice has two outcomes. An acknowledged event that the topic
lacks is counted as `not_in_input`: fncast has not lost it.

Prints one JSON object. Exit code 0 if nothing was lost, repeated, out of order, wrongly dead-lettered or answered with
the forecast of another event, else 1.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

SHOWN = 5
TOLERANCE = 0.01  # neighbours are 1 apart

Seen = tuple[str, str, bytes]
"""A record: its key, the id of its input, its value."""


def read(servers: str, topic: str, attribute: str) -> list[Seen]:
    """Return every committed record, in order for each partition. attribute: the header with the id."""
    reader = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"check-{uuid.uuid4().hex}",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    unread = set(reader.list_topics(topic, 20).topics[topic].partitions)
    reader.assign([TopicPartition(topic, partition, 0) for partition in unread])
    found = []
    while unread:
        for message in reader.consume(1000, 1.0):
            if message.error() is None:
                headers = dict(message.headers() or [])
                key, value = message.key() or b"", message.value() or b""
                found.append((key.decode(), headers[attribute].decode(), value))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                unread.discard(message.partition())
            else:
                sys.exit(f"reading {topic}: {message.error().str()}")
    reader.close()
    return found


def check(
    produced: list[dict[str, Any]], inputs: Counter[str], forecasts: list[Seen], letters: list[Seen]
) -> dict[str, list[str]]:
    """Return the faulty ids by kind of fault. inputs: how often the input topic has each id."""
    good = [event["id"] for event in produced if not event["is_poison"]]
    poison = {event["id"] for event in produced if event["is_poison"]}
    right = {event["id"]: (event["key"], event["forecast"]) for event in produced}
    order = {id_: number for number, id_ in enumerate(good)}
    outputs = Counter(id_ for _, id_, _ in forecasts)
    rejected = Counter(id_ for _, id_, _ in letters)
    disordered, of_another_input = [], []

    last: dict[str, int] = {}
    for key, id_, value in forecasts:
        if id_ in right and not is_right(key, value, *right[id_]):
            of_another_input.append(id_)
        number = order.get(id_, -1)
        if number < last.get(key, -1):
            disordered.append(id_)
        last[key] = max(number, last.get(key, -1))
    return {
        "lost": [id_ for id_ in good if outputs[id_] < inputs[id_]]
        + sorted(id_ for id_ in poison if rejected[id_] < inputs[id_]),
        "repeated": [
            id_
            for counts in (outputs, rejected)
            for id_, count in counts.items()
            if count > max(1, inputs[id_])
        ],
        "out_of_order": disordered,
        "wrongly_rejected": [id_ for id_ in rejected if id_ not in poison],
        "unknown": [id_ for id_ in outputs if id_ not in order],
        "of_another_input": of_another_input,
    }


def absent(produced: list[dict[str, Any]], inputs: Counter[str]) -> list[str]:
    """Return the ids of acknowledged events that the input topic lacks."""
    return [event["id"] for event in produced if not event.get("is_doubtful") and not inputs[event["id"]]]


def is_right(key: str, value: bytes, right_key: str, right_value: float) -> bool:
    """Whether a forecast has the key of its input and the first value that follows from its input."""
    first = json.loads(value)["values"][0]
    return key == right_key and abs(first - right_value) < TOLERANCE


def main(produced: str, servers: str, input_topic: str, forecasts: str, dead_letters: str) -> int:
    events = [json.loads(line) for line in Path(produced).read_text().splitlines()]
    inputs = Counter(id_ for _, id_, _ in read(servers, input_topic, "ce_id"))
    outputs, letters = (
        read(servers, forecasts, "ce_causationid"),
        read(servers, dead_letters, "ce_id"),
    )
    wrong = check(events, inputs, outputs, letters)
    summary: dict[str, object] = {
        "produced": len(events),
        "not_in_input": len(absent(events, inputs)),
        "produced_twice": sum(count > 1 for count in inputs.values()),
        "forecasts": len(outputs),
        "dead_letters": len(letters),
        "doubtful": sum(bool(event.get("is_doubtful")) for event in events),
    }
    summary |= {kind: len(ids) for kind, ids in wrong.items()}
    summary["for_example"] = {kind: ids[:SHOWN] for kind, ids in wrong.items() if ids}
    print(json.dumps(summary))
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
