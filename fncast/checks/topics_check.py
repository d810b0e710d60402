"""Checks the broker and the topics of the settings. It creates and commits nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from consumer.kafka.topics.compaction import CompactionProblem, compaction_problem
from consumer.settings import InputSettings, Settings
from fncast.checks.records_check import check_records
from fncast.checks.row import Row
from fncast.recognition.topic_sampler import SampleError, TopicSampler
from fncast.wording.count import counted

RECORDS = 100
SAMPLE_S = 4.0  # for the records of one topic
ANSWER_S = 5.0  # for one request
NOT_REACHED = "the broker was not reached"


def check_kafka(settings: Settings, now: datetime) -> list[Row]:
    """The rows about the broker, the topics and their records."""
    kafka = settings.kafka
    servers = kafka.bootstrap_servers
    try:
        sampler = TopicSampler(kafka.client_properties())
    except SampleError as error:
        return [Row("broker", "failed", str(error), "correct [kafka.client]"), *_not_tried(settings)]
    try:
        topics = sampler.topics()
        count = counted(len(topics), "topic")
        rows = [Row("broker", "ok", f"Kafka answers at {servers}; this login sees {count}")]
        # The embedded broker has no rights, policies and groups to ask about.
        admin = None if sampler.is_embedded else AdminClient({**kafka.client_properties(), "log_level": 0})
        rights = {} if admin is None else _rights(admin, settings)
        for entry in _inputs(settings):
            rows += _input_rows(sampler, entry, settings, rights, now)
        state = kafka.state_topic
        problem = compaction_problem(admin, state) if admin is not None and state in topics else None
        rows += [
            output_row(topic, topics, settings, rights, problem if topic == state else None)
            for topic in output_topics(settings)
        ]
        if admin is not None:
            rows.append(_group_row(admin, settings))
        return rows
    except SampleError as error:
        fix = "start it, or correct bootstrap_servers and [kafka.client]"
        return [Row("broker", "failed", str(error), fix), *_not_tried(settings)]
    finally:
        sampler.close()


def _inputs(settings: Settings) -> list[InputSettings]:
    by_topic = {entry.topic: entry for entry in settings.inputs}
    return [by_topic.get(topic, InputSettings(topic)) for topic in settings.kafka.input_topics]


def output_topics(settings: Settings) -> list[str]:
    """The topics that the consumer must write. The outage topic is not one: without it, only the page lacks outages."""
    kafka = settings.kafka
    found = [kafka.output_topic, kafka.dead_letter_topic]
    if any(entry.has_readings for entry in settings.inputs):
        found.append(kafka.state_topic)
    return found + [entry.by_series_topic for entry in settings.inputs if entry.rekey]


def _not_tried(settings: Settings) -> list[Row]:
    return [Row(f"topic {entry.topic}", "not tried", NOT_REACHED) for entry in _inputs(settings)]


def _input_rows(
    sampler: TopicSampler,
    entry: InputSettings,
    settings: Settings,
    rights: Mapping[str, set[AclOperation]],
    now: datetime,
) -> list[Row]:
    hop = f"topic {entry.topic}"
    if _lacks(rights, entry.topic, AclOperation.READ):
        return [Row(hop, "failed", "this login may not read it", "grant it Read on the topic")]
    if not sampler.topics().get(entry.topic):
        fix = "create it, correct its name in [[inputs]], or grant this login Describe on it"
        return [Row(hop, "failed", "it does not exist, or this login may not see it", fix)]
    try:
        sample = sampler.sample(entry.topic, RECORDS, SAMPLE_S)
    except SampleError as error:
        return [Row(hop, "failed", str(error), "grant this login Read and Describe on the topic")]
    detail = f"{counted(sample.total, 'record')} in {counted(sample.partitions, 'partition')}"
    if sample.is_cut:
        detail += f"; only {len(sample.records)} of the last {RECORDS} could be read in time"
    records = check_records(entry, sample, routes_for_windows(settings), now)
    return [Row(hop, "warning" if sample.is_cut else "ok", detail), records]


def routes_for_windows(settings: Settings) -> dict[str, bool]:
    """By name, whether a route can only take windows: it sends tensors, or goes to the forecast function."""
    found = {}
    for name, route in settings.routes.items():
        url, encoding = (route, "json") if isinstance(route, str) else (route.url, route.encoding)
        found[name] = encoding == "graphpipe" or (url.startswith("fn:") and url.endswith("/forecast"))
    return found


def output_row(
    topic: str,
    topics: Mapping[str, int],
    settings: Settings,
    rights: Mapping[str, set[AclOperation]],
    problem: CompactionProblem | None,
) -> Row:
    """The row about a topic that the consumer writes. problem: of the state topic."""
    hop = f"topic {topic}"
    if _lacks(rights, topic, AclOperation.WRITE):
        return Row(hop, "failed", "this login may not write to it", "grant it Write on the topic")
    if topic not in topics:
        if _lacks(rights, "", AclOperation.CREATE):
            wanted = max((topics.get(name, 0) for name in settings.kafka.input_topics), default=0)
            partitions = counted(wanted, "partition") if wanted else "as many partitions as the input has"
            fix = f"create it with {partitions}, or grant Create on the cluster"
            return Row(hop, "failed", "it does not exist, and this login may not create it", fix)
        return Row(hop, "ok", "it does not exist yet; fncast consume creates it")
    count = topics[topic]
    if problem:
        return Row(hop, "failed", problem.reason, problem.fix)
    return Row(hop, "ok", counted(count, "partition"))


def _group_row(admin: AdminClient, settings: Settings) -> Row:
    """Whether this login may use the consumer group."""
    group = settings.kafka.group_id
    hop = f"group {group}"
    try:
        answers: Any = admin.describe_consumer_groups(
            [group], include_authorized_operations=True, request_timeout=ANSWER_S
        )
        found = answers[group].result(2 * ANSWER_S)
    except (KafkaException, TimeoutError) as error:
        is_denied = _is_denied(error)
        text = "this login may not use it" if is_denied else "the broker did not say whether it may be used"
        fix = "grant this login Read and Describe on the group, or set another group_id"
        return Row(hop, "failed" if is_denied else "warning", text, fix if is_denied else "")
    operations = set(found.authorized_operations or ())
    if operations and not operations & {AclOperation.READ, AclOperation.ALL}:
        return Row(hop, "failed", "this login may not use it", "grant it Read on the group")
    count = len(found.members)
    return Row(hop, "ok", f"{counted(count, 'consumer')} in it now")


def _is_denied(error: Exception) -> bool:
    return isinstance(error, KafkaException) and "AUTHORIZATION" in error.args[0].name()


def _rights(admin: AdminClient, settings: Settings) -> dict[str, set[AclOperation]]:
    """The operations that this login may do, by topic; "" is the cluster. No entry if the broker does not say."""
    names = list(dict.fromkeys((*settings.kafka.input_topics, *output_topics(settings))))
    answers: list[tuple[str, Any]] = []
    try:
        topics = admin.describe_topics(
            TopicCollection(names), include_authorized_operations=True, request_timeout=ANSWER_S
        )
        answers += topics.items()
        cluster = admin.describe_cluster(include_authorized_operations=True, request_timeout=ANSWER_S)
        answers.append(("", cluster))
    except (KafkaException, ValueError):
        return {}
    rights: dict[str, set[AclOperation]] = {}
    for name, answer in answers:
        try:
            operations = answer.result(2 * ANSWER_S).authorized_operations
        except (KafkaException, TimeoutError) as error:
            if _is_denied(error):
                rights[name] = set()
            continue
        if operations:
            rights[name] = set(operations)
    return rights


def _lacks(rights: Mapping[str, set[AclOperation]], name: str, operation: AclOperation) -> bool:
    """Whether the broker says that this login may not do the operation. name: the topic, "" for the cluster."""
    return name in rights and not rights[name] & {operation, AclOperation.ALL}
