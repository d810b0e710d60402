"""The testbed of the delivery tests: separate topics on a broker, a function, and consumers as users run them."""

from __future__ import annotations

import contextlib
import json
import signal
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from consumer_process import PATIENCE_S, ConsumerProcess
from fake_function import Function
from kafka_container import PARTITIONS

from tests.waiting import eventually

WINDOW = json.dumps({"start": "2026-01-01T00:00:00Z", "step_s": 300, "values": [1.5] * 48}).encode()


@dataclass
class DeliveryTestbed:
    """A function and separate topics on a broker. Starts consumers, writes events and reads results."""

    bootstrap_servers: str
    delivery: str
    function: Function
    folder: Path
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    variables: dict[str, str] = field(default_factory=dict)
    config: Path | None = None
    started: list[ConsumerProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.metrics, self.forecasts, self.dead, self.outages, self.state, self.group = (
            f"{name}-{self.tag}" for name in ("metrics", "forecasts", "dead", "outages", "state", "group")
        )
        self.producer = Producer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "linger.ms": 2,
                "log_level": 0,
                "enable.idempotence": True,  # without it, a retry may change the order of the input
            }
        )

    @property
    def is_embedded(self) -> bool:
        return "embedded" in self.delivery

    @property
    def is_exactly_once(self) -> bool:
        return self.delivery == "exactly-once"

    def topics(self) -> list[NewTopic]:
        return [
            NewTopic(self.metrics, PARTITIONS),
            NewTopic(self.forecasts, PARTITIONS),
            NewTopic(self.dead, PARTITIONS, config={"max.message.bytes": "1200000"}),
        ]

    def delete_topic(self, name: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        admin.delete_topics([name])[name].result(10)

    def create_topics(self, *new: NewTopic) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        for done in admin.create_topics(list(new)).values():
            done.result(10)

    def event(self, id_: str, **more: str) -> list[tuple[str, bytes]]:
        """Return the headers of a window event."""
        attributes = {"specversion": "1.0", "type": "io.fncast.window.v1", "source": "test", "id": id_}
        attributes |= {"destination": "forecast"} | more
        headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items() if text]
        return [*headers, ("content-type", b"application/json")]

    def produce(
        self,
        id_: str,
        key: bytes | None = None,
        value: bytes | None = WINDOW,
        headers: Any = None,
        partition: int = -1,
        **attributes: str,
    ) -> None:
        self.producer.produce(
            self.metrics,
            value,
            key,
            partition,
            headers=self.event(id_, **attributes) if headers is None else headers,
        )

    def produce_many(self, count: int, first: int = 0, keys: int = 8) -> list[str]:
        """Produce events `key:number` for a few keys, in order for each key. Returns their ids."""
        ids = [f"k{number % keys}:{number}" for number in range(first, first + count)]
        for number, id_ in enumerate(ids):
            self.produce(id_, id_.split(":")[0].encode())
            if number % 500 == 0:
                self.producer.poll(0)
        self.flush()
        return ids

    def flush(self) -> None:
        """Wait for all acknowledgements. If the leader of a cluster is paused, another node must replace it first."""
        assert self.producer.flush(PATIENCE_S) == 0

    def consume(
        self,
        name: str = "one",
        config: Path | None = None,
        program: Sequence[str] = ("-m", "fncast"),
        **variables: str,
    ) -> ConsumerProcess:
        """Start a consumer. config: default: the testbed's. program: for Python. variables: without `FNCAST_`."""
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA__DELIVERY": self.delivery.removeprefix("embedded "),
            "KAFKA__GROUP_ID": self.group,
            "KAFKA__INSTANCE": name,
            "KAFKA__INPUT_TOPICS": self.metrics,
            "KAFKA__OUTPUT_TOPIC": self.forecasts,
            "KAFKA__DEAD_LETTER_TOPIC": self.dead,
            "KAFKA__OUTAGE_TOPIC": self.outages,
            "KAFKA__STATE_TOPIC": self.state,
            "FN__URL": self.function.url,
            **self.variables,
            **variables,
        }
        consumer = ConsumerProcess(
            {f"FNCAST_{key}": value for key, value in settings.items()},
            self.folder / f"{name}.log",
            config or self.config,
            program,
        )
        self.started.append(consumer)
        return consumer

    def reader(self, isolation: str = "read_committed") -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": f"reader-{uuid.uuid4().hex}",
                "auto.offset.reset": "earliest",
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )

    def read_all(self, topic: str, isolation: str = "read_committed") -> list[Message]:
        """Return all records up to the current end of the topic, by partition. Waits for open transactions."""
        reader = self.reader(isolation)
        try:

            def partitions_of() -> list[int]:
                return sorted(reader.list_topics(topic, 10).topics[topic].partitions)

            if self.is_embedded and not partitions_of():
                return []  # a topic is created on first use
            partitions = eventually(partitions_of, 20, f"the topic {topic}")

            def watermarks() -> dict[int, int] | None:
                try:
                    return {
                        p: reader.get_watermark_offsets(TopicPartition(topic, p), 10)[1] for p in partitions
                    }
                except KafkaException:  # the broker has just started
                    return None

            ends = eventually(watermarks, 20, f"the watermarks of {topic}")
            reader.assign([TopicPartition(topic, p, 0) for p in partitions])
            found: dict[int, list[Message]] = {p: [] for p in partitions}

            def is_read() -> bool:
                for message in reader.consume(1000, 0.05):
                    if message.error() is None:
                        found[message.partition()].append(message)
                positions = reader.position([TopicPartition(topic, p) for p in partitions])
                return all(p.offset >= ends[p.partition] or ends[p.partition] == 0 for p in positions)

            eventually(is_read, 30, f"the end of {topic}")
        finally:
            reader.close()
        return [message for p in partitions for message in found[p]]

    def wait_for(self, topic: str, count: int, within_s: float = PATIENCE_S) -> list[Message]:
        """Return the first `count` or more records that a read-committed reader gets."""
        reader = self.reader()
        found: list[Message] = []

        def logs() -> list[str]:
            return [consumer.log()[-1500:] for consumer in self.started]

        def partitions() -> list[int]:
            return sorted(reader.list_topics(topic, 10).topics[topic].partitions)

        try:
            eventually(partitions, within_s, lambda: f"the topic {topic}; {logs()}")
            reader.assign([TopicPartition(topic, p, 0) for p in partitions()])

            def all_exist() -> bool:
                found.extend(message for message in reader.consume(1000, 0.05) if message.error() is None)
                return len(found) >= count

            eventually(all_exist, within_s, lambda: f"{count} records on {topic}: {len(found)}; {logs()}")
        finally:
            reader.close()
        return found

    def close(self) -> None:
        for consumer in self.started:
            if consumer.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    consumer.process.send_signal(signal.SIGCONT)
                consumer.kill()
