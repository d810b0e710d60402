"""`fncast init`: looks at a topic and prints the settings that forecast it."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

from consumer.settings import KafkaSettings, Settings
from fncast.cli.arguments.settings import add_kafka_arguments, settings
from fncast.cli.output.messages import say
from fncast.failure import Failure
from fncast.foreign_text import clean
from fncast.recognition.recognition import Unrecognised, recognise
from fncast.recognition.report import report
from fncast.recognition.sample import Sample, clean_topic
from fncast.recognition.starter_settings import starter_settings
from fncast.recognition.topic_sampler import SampleError, TopicSampler
from fncast.wording.count import counted

LOOK_RECORDS = 50  # of each topic, without --topic
LOOK_S = 3.0  # for each topic
LOOK_ALL_S = 30.0  # for all topics
MAX_TOPICS = 100
MAX_NAME = 60

EXAMPLES = """
fncast init --bootstrap-servers kafka:9092 --topic telegraf > fncast.toml
fncast init --bootstrap-servers kafka:9092
FNCAST_KAFKA__CLIENT__SECURITY_PROTOCOL=SSL fncast init --topic telegraf
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--topic", help="the topic with your readings (default: the only one that can be forecast)"
    )
    add_kafka_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a settings file on standard output, and what was seen on stderr. Raises Failure."""
    configured = settings(arguments)
    kafka = configured.kafka
    try:
        sampler = TopicSampler(kafka.client_properties())
    except SampleError as error:
        raise Failure(str(error)) from None
    try:
        topic = arguments.topic or _only_candidate(sampler, configured)
        sample = sampler.sample(topic)
        print(_settings_text(sample, kafka), end="")
    except (SampleError, Unrecognised) as error:
        raise Failure(str(error)) from None
    finally:
        sampler.close()
    return 0


def _settings_text(sample: Sample, kafka: KafkaSettings) -> str:
    """The settings file. Raises Unrecognised."""
    recognition = recognise(sample.topic, sample.records)
    for line in report(sample, recognition):
        say(line)
    client = {name: value for name, value in kafka.client_properties().items() if name != "bootstrap.servers"}
    return starter_settings(sample, recognition, kafka.bootstrap_servers, client, datetime.now(UTC))


def _only_candidate(sampler: TopicSampler, configured: Settings) -> str:
    """The only topic that can be forecast. Lists all topics. Raises Failure if none or several can be."""
    kafka, monitor = configured.kafka, configured.monitor
    written = {*kafka.written_topics(), monitor.accuracy_topic, monitor.alerts_topic}
    names = sorted(name for name in sampler.topics() if not name.startswith("__") and name not in written)
    if not names:
        raise Failure(
            f"this login sees no topic on {kafka.bootstrap_servers} besides those that fncast writes"
        )
    candidates = []
    deadline = time.monotonic() + LOOK_ALL_S
    for count, name in enumerate(names):
        if count >= MAX_TOPICS or time.monotonic() > deadline:
            say(f"and {counted(len(names) - count, 'more topic')}, not looked at")
            break
        is_candidate, text = _look(sampler, name)
        say(f"{clean(name, MAX_NAME)}: {text}")
        if is_candidate:
            candidates.append(name)
    if not candidates:
        raise Failure("no topic can be forecast. Name one with --topic to see why")
    if len(candidates) > 1:
        shown = ", ".join(clean(name, MAX_NAME) for name in candidates[:10])
        raise Failure(f"several topics can be forecast; choose one with --topic: {shown}")
    return candidates[0]


def _look(sampler: TopicSampler, topic: str) -> tuple[bool, str]:
    """Whether the topic can be forecast, and what it holds."""
    try:
        trial = recognise(topic, sampler.sample(topic, LOOK_RECORDS, LOOK_S).records).trial
    except (SampleError, Unrecognised) as error:
        return False, _short(str(error), topic)
    return True, f"{trial.format}, {len(trial.series):,} series in {counted(trial.records, 'record')}"


def _short(reason: str, topic: str) -> str:
    """The reason without the topic, its formats and its advice."""
    reason = reason.removeprefix(f"the topic {clean_topic(topic)} ")
    return clean(reason.split(". ")[0].partition(" (cloudevents,")[0], 160)
