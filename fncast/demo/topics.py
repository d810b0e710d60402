"""The demo's topics."""

from __future__ import annotations

from confluent_kafka import KafkaError, Producer

from fncast.demo.process import ProcessFailed
from fncast.wording.kafka import describe, map_kafka_errors

INPUT_TOPIC, READINGS_TOPIC = "metrics", "telegraf"
OUTPUT_TOPIC, DEAD_LETTER_TOPIC = "forecasts", "dead-letters"
TRAINING_TOPIC, OUTAGE_TOPIC, STATE_TOPIC = "training", "outages", "fncast-state"
ACCURACY_TOPIC, ALERTS_TOPIC, MONITOR_STATE_TOPIC = "accuracy", "alerts", "monitor-state"
TIMEOUT_S = 5.0


def create_topics(servers: str) -> None:
    """Create the topics. The embedded broker creates a topic when a producer requests its metadata.

    Raises ProcessFailed.
    """
    client = Producer({"bootstrap.servers": servers, "log_level": 0})
    topics = (
        INPUT_TOPIC,
        READINGS_TOPIC,
        OUTPUT_TOPIC,
        DEAD_LETTER_TOPIC,
        OUTAGE_TOPIC,
        STATE_TOPIC,
        TRAINING_TOPIC,
        ACCURACY_TOPIC,
        ALERTS_TOPIC,
        MONITOR_STATE_TOPIC,
    )

    def no_answer(cause: KafkaError) -> ProcessFailed:
        return ProcessFailed(f"the broker at {servers} does not answer: {describe(cause)}")

    with map_kafka_errors(no_answer):
        for topic in topics:
            client.list_topics(topic, timeout=TIMEOUT_S)
