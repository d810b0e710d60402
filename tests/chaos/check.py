"""The checker: compares what was produced with what a read-committed reader sees. It knows nothing else.

usage: check.py PRODUCED BOOTSTRAP_SERVERS FORECASTS_TOPIC DEAD_LETTERS_TOPIC

PRODUCED holds one JSON object a line, in the order of production: {"id", "key", "is_poison"}.
Prints one JSON object; exit 0 where nothing was lost, repeated, out of order, or wrongly dead-lettered, else 1.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, TopicPartition

SHOWN = 5


def read(servers: str, topic: str, attribute: str) -> list[tuple[str, str]]:
    """(key, `attribute`) of every committed record, in order per partition."""
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
                found.append(((message.key() or b"").decode(), headers[attribute].decode()))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                unread.discard(message.partition())
            else:
                sys.exit(f"reading {topic}: {message.error().str()}")
    reader.close()
    return found


def check(
    produced: list[dict[str, object]], forecasts: list[tuple[str, str]], letters: list[tuple[str, str]]
) -> dict[str, list[str]]:
    """What is wrong, by kind; empty lists where nothing is."""
    good = [str(event["id"]) for event in produced if not event["is_poison"]]
    poison = {str(event["id"]) for event in produced if event["is_poison"]}
    order = {id_: number for number, id_ in enumerate(good)}
    outputs = Counter(id_ for _, id_ in forecasts)
    refused = Counter(id_ for _, id_ in letters)
    disordered, last = [], {}
    for key, id_ in forecasts:
        number = order.get(id_, -1)
        if number < last.get(key, -1):
            disordered.append(id_)
        last[key] = max(number, last.get(key, -1))
    return {
        "lost": [id_ for id_ in good if id_ not in outputs] + sorted(poison - set(refused)),
        "repeated": [id_ for counts in (outputs, refused) for id_, count in counts.items() if count > 1],
        "out_of_order": disordered,
        "wrongly_refused": [id_ for id_ in refused if id_ not in poison],
        "unknown": [id_ for id_ in outputs if id_ not in order],
    }


def main(produced: str, servers: str, forecasts: str, dead_letters: str) -> int:
    events = [json.loads(line) for line in Path(produced).read_text().splitlines()]
    outputs, letters = (
        read(servers, forecasts, "ce_causationid"),
        read(servers, dead_letters, "ce_id"),
    )
    wrong = check(events, outputs, letters)
    summary: dict[str, object] = {
        "produced": len(events),
        "forecasts": len(outputs),
        "dead_letters": len(letters),
    }
    summary |= {kind: len(ids) for kind, ids in wrong.items()}
    summary["for_example"] = {kind: ids[:SHOWN] for kind, ids in wrong.items() if ids}
    print(json.dumps(summary))
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
