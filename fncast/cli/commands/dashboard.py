"""`fncast dashboard`: serves the live page for a broker."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from consumer.settings import Settings
from fncast.cli.arguments.settings import add_kafka_arguments, settings
from fncast.cli.records.page_decoders import page_decoders
from fncast.dashboard.events.single_reading import Decoder
from fncast.dashboard.kafka.reader import TopicReader
from fncast.dashboard.kafka.reader_client import InvalidProperties
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics
from fncast.failure import Failure
from fncast.http.login import Login
from fncast.http.security import Security, add_listener_arguments
from fncast.http.server import serve

PORT = 8090
# Records of each partition that are read at the start: enough to fill a chart, and only a few MB.
HISTORY_RECORDS = 2000
# A reader that is further behind skips records, so that the page shows the present.
MAX_LAG_RECORDS = 20_000

EXAMPLES = """
fncast dashboard
fncast dashboard --bootstrap-servers kafka:9092 --port 8091
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    add_listener_arguments(parser, PORT)


def build_page(
    client_properties: Mapping[str, str], topics: PageTopics, decoders: Mapping[str, Decoder] | None = None
) -> Page:
    """The page for these topics. It starts to read when its ASGI lifespan begins. Raises Failure.

    decoders: by input topic, for topics with single readings.
    """
    try:
        reader = TopicReader(client_properties, topics.all(), HISTORY_RECORDS, MAX_LAG_RECORDS)
    except InvalidProperties as error:
        raise Failure(f"the Kafka client rejects its settings: {error}") from None
    return Page(reader, PageState(topics, time.time(), decoders))


def page_topics(configured: Settings) -> PageTopics:
    """The topics in the settings."""
    kafka, monitor = configured.kafka, configured.monitor
    return PageTopics(
        configured.reading_topics(),
        kafka.output_topic,
        kafka.dead_letter_topic,
        kafka.outage_topic,
        accuracy=monitor.accuracy_topic,
        alerts=monitor.alerts_topic,
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until SIGINT or SIGTERM. Returns the exit code. Raises Failure."""
    configured = settings(arguments)
    kafka = configured.kafka
    app = build_page(kafka.client_properties(), page_topics(configured), page_decoders(configured))
    return serve(
        app,
        arguments.host,
        arguments.port,
        ready="the live page is at {url} (Ctrl-C ends it)",
        security=Security.of(arguments),
        guard=Login,
    )
