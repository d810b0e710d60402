"""`fncast dashboard`: the live page over any broker."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from fncast.cli.kafka import add_kafka_arguments, kafka_settings
from fncast.dashboard.page import Page
from fncast.dashboard.reader import InvalidProperties, TopicReader
from fncast.dashboard.state import PageState, PageTopics
from fncast.failure import Failure
from fncast.http.login import Login
from fncast.http.security import Security, add_listener_arguments
from fncast.http.server import serve

PORT = 8090
# Of each partition: some minutes of a demo, a few MB to fetch, and readings enough to fill a chart.
HISTORY_RECORDS = 2000
# Further behind than this a page would show the past; a full second of the fastest feed that it can follow.
MAX_LAG_RECORDS = 20_000

EXAMPLES = """
fncast dashboard
fncast dashboard --bootstrap-servers kafka:9092 --port 8091
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    add_listener_arguments(parser, PORT)


def page(client_properties: Mapping[str, str], topics: PageTopics) -> Page:
    """The page over these topics, reading once its lifespan begins. Raises Failure."""
    try:
        reader = TopicReader(client_properties, topics.all(), HISTORY_RECORDS, MAX_LAG_RECORDS)
    except InvalidProperties as error:
        raise Failure(f"Kafka's client refuses its settings: {error}") from None
    return Page(reader, PageState(topics, time.time()))


def run(arguments: argparse.Namespace) -> int:
    kafka = kafka_settings(arguments)
    topics = PageTopics(kafka.input_topics, kafka.output_topic, kafka.dead_letter_topic, kafka.outage_topic)
    app = page(kafka.client_properties(), topics)
    return serve(
        app,
        arguments.host,
        arguments.port,
        ready="the live page is at {url} (Ctrl-C ends it)",
        security=Security.of(arguments),
        guard=Login,
    )
