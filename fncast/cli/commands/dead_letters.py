"""`fncast dead-letters list|show|replay`: lists rejected events with their reasons and replays them."""

from __future__ import annotations

import argparse
import base64
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from consumer.errors import ConsumerError
from consumer.kafka.dead_letter_filter import DeadLetterFilter
from consumer.kafka.dead_letter_replay import Replay
from consumer.kafka.dead_letter_topic import DeadLetterTopic
from consumer.kafka.exactly_once import ExactlyOnce
from consumer.kafka.stored_dead_letter import MAX_HEADER, StoredDeadLetter
from consumer.kafka.topic_names import TopicNames
from consumer.kafka.topics import Topics
from consumer.settings import KafkaSettings
from fncast.cli.arguments.settings import add_kafka_arguments, kafka_settings
from fncast.failure import Failure
from fncast.foreign_text import clean, escaped
from fncast.series.rfc3339 import parse_time

# Kafka numbers partitions by 31 bits and offsets by 63.
MAX_PARTITION, MAX_OFFSET = 2**31 - 1, 2**63 - 1
AGO = re.compile(r"([0-9]{1,18})([smhd])")
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
    verbs = parser.add_subparsers(dest="verb", metavar="list|show|replay", required=True)
    listing = verbs.add_parser(
        "list", help="print one line for each: place, time, destination, attempts, reason"
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object a line")
    show = verbs.add_parser("show", help="print one dead letter completely, as JSON")
    show.add_argument("place", metavar="PARTITION/OFFSET", help="as `list` prints it")
    replay = verbs.add_parser(
        "replay", help="publish events again to their input topics; each only once, also in repeated calls"
    )
    replay.add_argument("--dry-run", action="store_true", help="only print what would be replayed")
    replay.add_argument(
        "--place", default="", metavar="PARTITION/OFFSET", help="only this dead letter, as `list` prints it"
    )
    for verb in (listing, show, replay):
        verb.add_argument("--topic", help="default: the settings' dead_letter_topic (dead-letters)")
        add_kafka_arguments(verb)
    for verb in (listing, replay):
        verb.add_argument("--reason", default="", metavar="TEXT", help="only where the reason contains TEXT")
        verb.add_argument("--destination", default="", help="only events for this destination")
        verb.add_argument(
            "--since",
            metavar="TIME",
            help="only what was rejected since then: an RFC 3339 time, or an age such as 30m, 2h or 7d",
        )


def run(arguments: argparse.Namespace) -> int:
    """Raises Failure."""
    kafka = kafka_settings(arguments)
    topic = arguments.topic or kafka.dead_letter_topic
    try:
        if arguments.verb == "show":
            return show(kafka, topic, arguments.place)
        wanted = DeadLetterFilter(arguments.reason, arguments.destination, since(arguments.since))
        if arguments.verb == "list":
            return listed(kafka, topic, wanted, arguments.json)
        if arguments.place:
            wanted = replace(wanted, place="{}/{}".format(*place_of(arguments.place, topic)))
        name = f"{kafka.group_id}-replay-{wanted.name(arguments.since or '')}"
        return replay(kafka, topic, wanted, name, dry_run=arguments.dry_run)
    except ConsumerError as error:
        raise Failure(str(error)) from None


def since(text: str | None) -> datetime | None:
    """The time that `--since` names; None without the flag. Raises Failure."""
    if text is None:
        return None
    try:
        if ago := AGO.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        return parse_time(text)
    except OverflowError:
        raise Failure(f"--since {text!r} is before all time; pass a shorter time") from None
    except ValueError:
        raise Failure(
            f"--since {clean(text, MAX_HEADER)!r} is neither an RFC 3339 time, such as 2026-01-31T12:00:00Z,"
            " nor of the form 30m, 2h, 7d"
        ) from None


def listed(kafka: KafkaSettings, topic: str, wanted: DeadLetterFilter, as_json: bool) -> int:
    """Print the letters that match `wanted`. Returns the exit code. Raises ConsumerError, UnknownTopic."""
    letters = DeadLetterTopic(kafka.client_properties(), topic, f"{kafka.group_id}-dead-letters")
    read = printed = 0
    try:
        for letter in letters.read():
            read += 1
            if letter in wanted:
                printed += 1
                print(summary_text(letter) if as_json else line(letter), flush=True)
    finally:
        letters.close()
    if not printed:
        which = f"none of the {read:,} dead letters matches" if read else "there are no dead letters"
        print(f"{topic}: {which}", file=sys.stderr)
    return 0


def line(letter: StoredDeadLetter) -> str:
    """A letter as one line of columns: place, time, destination, attempts, reason."""
    destination = clean(str(letter.attributes().get("destination", "-")), MAX_HEADER)
    time = letter.refused_at.isoformat(timespec="seconds") if letter.refused_at else "-"
    return f"{letter.place:>10}  {time:>25}  {destination!r:12}  {letter.attempts} attempts  {letter.reason}"


def summary(letter: StoredDeadLetter) -> dict[str, Any]:
    """The members that `list --json` shows of a letter."""
    attributes = letter.attributes()
    return {
        "place": letter.place,
        "refused_at": letter.refused_at,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "topic": letter.topic,
        "id": attributes.get("id"),
        "source": attributes.get("source"),
        "destination": attributes.get("destination"),
    }


def summary_text(letter: StoredDeadLetter) -> str:
    return escaped(orjson.dumps(summary(letter)).decode())


def shown(letter: StoredDeadLetter) -> str:
    """The complete dead letter as indented JSON."""
    whole = summary(letter) | {
        "key": readable(letter.record.key),
        "headers": [[name, readable(value)] for name, value in letter.record.headers],
        "value": readable(letter.record.value),
    }
    return escaped(orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode())


def show(kafka: KafkaSettings, topic: str, place: str) -> int:
    """Print the letter at `place`, as PARTITION/OFFSET. Returns the exit code. Raises Failure, ConsumerError."""
    wanted = place_of(place, topic)
    letters = DeadLetterTopic(kafka.client_properties(), topic, f"{kafka.group_id}-dead-letters")
    try:
        for letter in letters.read({wanted[0]: wanted[1]}, only=wanted[0]):
            if (letter.record.partition, letter.record.offset) == wanted:
                print(shown(letter))
                return 0
    finally:
        letters.close()
    raise Failure(f"the topic {topic!r} has no dead letter {place}; `fncast dead-letters list` prints all")


def place_of(text: str, topic: str) -> tuple[int, int]:
    """Partition and offset. Raises Failure."""
    place = PLACE.fullmatch(text)
    if not place:
        raise Failure(f"{clean(text, MAX_HEADER)!r} is not of the form PARTITION/OFFSET, as in 0/17")
    wanted = int(place[1]), int(place[2])
    if wanted[0] > MAX_PARTITION or wanted[1] > MAX_OFFSET:
        raise Failure(f"the topic {topic!r} has no dead letter {text}: Kafka has no such place")
    return wanted


def readable(content: bytes | None) -> str | dict[str, str] | None:
    """The bytes as text if they are UTF-8, else as `{"base64": …}`."""
    if content is None:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


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
        print(f"{count} dead letters replayed", flush=True)
        if replaying.left:
            raise Failure(not_replayed(replaying))
        return 0
    finally:
        letters.close()


def preview(replaying: Replay) -> int:
    """Print what would be replayed, and what would not with the reason. Returns the exit code."""
    counts = [0, 0]
    for letter, obstacle in replaying.preview():
        counts[bool(obstacle)] += 1
        print(
            line(letter) + (f"  would not be replayed: {clean(obstacle, MAX_HEADER)}" if obstacle else ""),
            flush=True,
        )
    left = f", {counts[1]} would not" if counts[1] else ""
    print(f"{counts[0]} dead letters would be replayed{left}")
    return 0


def not_replayed(replaying: Replay) -> str:
    """The dead letters that were not replayed, the reasons, and how to replay them later."""
    more = replaying.left - len(replaying.left_because)
    named = "; ".join([*replaying.left_because, *([f"and {more} more"] if more else [])])
    return (
        f"{replaying.left} dead letters were not replayed: {named}. They stay in the topic. Fix the reason and"
        " replay each with --place PARTITION/OFFSET"
    )
