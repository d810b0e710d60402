"""`fncast dead-letters list|show|replay`: lists rejected events with their reasons and replays them."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from consumer.errors import ConsumerError
from consumer.kafka.dead_letters.filter import DeadLetterFilter
from consumer.kafka.dead_letters.replay import Replay
from consumer.kafka.dead_letters.stored import MAX_HEADER
from consumer.kafka.dead_letters.topic import DeadLetterTopic
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.kafka.topics.names import TopicNames
from consumer.kafka.topics.topics import Topics
from consumer.settings import KafkaSettings
from fncast.cli.arguments.settings import add_kafka_arguments, kafka_settings
from fncast.cli.output.dead_letters import json_document, json_line, line, not_replayed, preview_line
from fncast.failure import Failure
from fncast.foreign_text import clean
from fncast.series.rfc3339 import parse_time
from fncast.wording.count import counted

# Kafka numbers partitions by 31 bits and offsets by 63.
MAX_PARTITION, MAX_OFFSET = 2**31 - 1, 2**63 - 1
AGE = re.compile(r"([0-9]{1,18})([smhd])")
PLACE = re.compile(r"([0-9]{1,30})/([0-9]{1,30})")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

EXAMPLES = """
fncast dead-letters list --since 2h
fncast dead-letters list --reason "no route" --json
fncast dead-letters show 0/17
fncast dead-letters replay --destination forecast --dry-run
fncast dead-letters replay --destination forecast
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    listing = action(
        "list", "print one line for each dead letter: place, time, destination, attempts, reason"
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object a line")
    show = action("show", "print one dead letter completely, as JSON")
    show.add_argument(
        "place", metavar="PARTITION/OFFSET", help="the dead letter's place, as `list` prints it"
    )
    replay = action(
        "replay", "publish events again to their input topics; repeated calls publish each event only once"
    )
    replay.add_argument("--dry-run", action="store_true", help="only print what would be replayed")
    replay.add_argument(
        "--place", default="", metavar="PARTITION/OFFSET", help="only this dead letter, as `list` prints it"
    )
    for each in (listing, show, replay):
        each.add_argument(
            "--topic", help="the topic to read (default: the settings' dead_letter_topic, dead-letters)"
        )
        add_kafka_arguments(each)
    for each in (listing, replay):
        each.add_argument("--reason", default="", metavar="TEXT", help="only where the reason contains TEXT")
        each.add_argument("--destination", default="", help="only events for this destination")
        each.add_argument(
            "--since",
            metavar="TIME",
            help="only events that were rejected since TIME: an RFC 3339 time, or an age such as 30m, 2h or 7d",
        )


def run(arguments: argparse.Namespace) -> int:
    """List, show or replay dead letters. Returns the exit code. Raises Failure."""
    kafka = kafka_settings(arguments)
    topic = arguments.topic or kafka.dead_letter_topic
    try:
        if arguments.action == "show":
            return show(kafka, topic, arguments.place)
        wanted = DeadLetterFilter(arguments.reason, arguments.destination, parse_since(arguments.since))
        if arguments.action == "list":
            return list_letters(kafka, topic, wanted, as_json=arguments.json)
        if arguments.place:
            wanted = replace(wanted, place="{}/{}".format(*parse_place(arguments.place, topic)))
        name = f"{kafka.group_id}-replay-{wanted.name(arguments.since or '')}"
        return replay(kafka, topic, wanted, name, dry_run=arguments.dry_run)
    except ConsumerError as error:
        raise Failure(str(error)) from None


def show(kafka: KafkaSettings, topic: str, place: str) -> int:
    """Print the letter at `place`. Returns the exit code. Raises Failure, ConsumerError.

    place: PARTITION/OFFSET.
    """
    partition, offset = parse_place(place, topic)
    letters = DeadLetterTopic(kafka.client_properties(), topic, f"{kafka.group_id}-dead-letters")
    try:
        for letter in letters.read({partition: offset}, only=partition):
            if (letter.record.partition, letter.record.offset) == (partition, offset):
                print(json_document(letter))
                return 0
    finally:
        letters.close()
    raise Failure(f"the topic {topic!r} has no dead letter {place}; `fncast dead-letters list` prints all")


def list_letters(kafka: KafkaSettings, topic: str, wanted: DeadLetterFilter, *, as_json: bool) -> int:
    """Print the letters that match `wanted`. Returns the exit code. Raises ConsumerError, UnknownTopic."""
    letters = DeadLetterTopic(kafka.client_properties(), topic, f"{kafka.group_id}-dead-letters")
    read = printed = 0
    try:
        for letter in letters.read():
            read += 1
            if letter in wanted:
                printed += 1
                print(json_line(letter) if as_json else line(letter), flush=True)
    finally:
        letters.close()
    if not printed:
        which = f"no match in {counted(read, 'dead letter')}" if read else "there are no dead letters"
        print(f"{topic}: {which}", file=sys.stderr)
    return 0


def replay(kafka: KafkaSettings, topic: str, wanted: DeadLetterFilter, name: str, *, dry_run: bool) -> int:
    """Publish the dead letters that match `wanted` again. Returns the exit code. Raises Failure, ConsumerError.

    name: the consumer group that keeps the replayed offsets, and the transactional id.
    """
    letters = DeadLetterTopic(kafka.client_properties(), topic, name)
    try:
        properties = kafka.client_properties()
        publisher = ExactlyOnce(properties, kafka.partitioner, name)
        topics = Topics(properties, TopicNames(kafka.input_topics, kafka.output_topic, topic))
        sizes = topics.sizes_of_inputs()
        publisher.set_limits(sizes.record_bytes, sizes.batch_bytes)
        replaying = Replay(letters, publisher, wanted, kafka.input_topics[0])
        try:
            if dry_run:
                return preview(replaying)
            count = replaying.run()
        finally:
            publisher.close()
        print(f"{counted(count, 'dead letter')} replayed", flush=True)
        if replaying.unreplayed:
            raise Failure(not_replayed(replaying))
        return 0
    finally:
        letters.close()


def preview(replaying: Replay) -> int:
    """Print what would be replayed, and what would not with the reason. Returns the exit code."""
    replayed = kept = 0
    for letter, obstacle in replaying.preview():
        if obstacle:
            kept += 1
        else:
            replayed += 1
        print(preview_line(letter, obstacle), flush=True)
    print(f"{counted(replayed, 'dead letter')} would be replayed" + (f", {kept} would not" if kept else ""))
    return 0


def parse_since(text: str | None) -> datetime | None:
    """The time that `--since` names; None without the flag. Raises Failure."""
    if text is None:
        return None
    try:
        if age := AGE.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{UNITS[age[2]]: int(age[1])})
        return parse_time(text)
    except OverflowError:
        raise Failure(f"--since {text!r} is before the year 1; pass a shorter age") from None
    except ValueError:
        raise Failure(
            f"--since {clean(text, MAX_HEADER)!r} is neither an RFC 3339 time, such as 2026-01-31T12:00:00Z,"
            " nor an age such as 30m, 2h or 7d"
        ) from None


def parse_place(text: str, topic: str) -> tuple[int, int]:
    """Partition and offset of PARTITION/OFFSET. topic: for the message. Raises Failure."""
    place = PLACE.fullmatch(text)
    if not place:
        raise Failure(f"{clean(text, MAX_HEADER)!r} is not of the form PARTITION/OFFSET, as in 0/17")
    partition, offset = int(place[1]), int(place[2])
    if partition > MAX_PARTITION or offset > MAX_OFFSET:
        raise Failure(f"the topic {topic!r} has no dead letter {text}: Kafka has no such place")
    return partition, offset
