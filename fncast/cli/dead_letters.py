"""`fncast dead-letters list|show|replay`: what was refused, why, and again."""

from __future__ import annotations

import argparse
import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from consumer.dead_letters import DeadLetter, DeadLetterTopic, Filter, Replay
from consumer.errors import ConsumerError
from consumer.exactly_once import ExactlyOnce
from consumer.settings import Kafka
from consumer.topics import Topics
from fncast.cli.kafka import add_kafka_arguments, kafka_settings
from fncast.failure import Failure

# Kafka numbers partitions by 31 bits and offsets by 63.
MAX_PARTITION, MAX_OFFSET = 2**31 - 1, 2**63 - 1
AGO = re.compile(r"(\d+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="list|show|replay", required=True)
    listing = verbs.add_parser("list", help="one line each: place, time, destination, attempts, reason")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    show = verbs.add_parser("show", help="one letter, all of it, as JSON")
    show.add_argument("place", metavar="PARTITION/OFFSET", help="as `list` prints it")
    replay = verbs.add_parser(
        "replay", help="publish them again where they came from; each once, however often this is called"
    )
    replay.add_argument("--dry-run", action="store_true", help="only say what would be replayed")
    for verb in (listing, show, replay):
        verb.add_argument("--topic", help="default: the settings' dead_letter_topic (dead-letters)")
        add_kafka_arguments(verb)
    for verb in (listing, replay):
        verb.add_argument("--reason", default="", metavar="TEXT", help="only where the reason has this in it")
        verb.add_argument("--destination", default="", help="only events for this destination")
        verb.add_argument(
            "--since",
            metavar="TIME",
            help="only what was refused since: an RFC 3339 time, or 30m, 2h, 7d ago",
        )


def run(arguments: argparse.Namespace) -> int:
    """Raises Failure."""
    kafka = kafka_settings(arguments)
    topic = arguments.topic or kafka.dead_letter_topic
    try:
        if arguments.verb == "show":
            return show(kafka, topic, arguments.place)
        wanted = Filter(arguments.reason, arguments.destination, since(arguments.since))
        if arguments.verb == "list":
            return listed(kafka, topic, wanted, arguments.json)
        name = f"{kafka.group_id}-replay-{wanted.name(arguments.since or '')}"
        return replay(kafka, topic, wanted, name, dry_run=arguments.dry_run)
    except ConsumerError as error:
        raise Failure(str(error)) from None


def since(told: str | None) -> datetime | None:
    """The time that `--since` means. Raises Failure."""
    if told is None:
        return None
    try:
        if ago := AGO.fullmatch(told):
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        time = datetime.fromisoformat(told)
        return time if time.tzinfo else time.astimezone()
    except OverflowError:
        raise Failure(f"--since {told!r} is before all time") from None
    except ValueError:
        raise Failure(f"--since {told!r} is neither an RFC 3339 time nor of the form 30m, 2h, 7d") from None


def listed(kafka: Kafka, topic: str, wanted: Filter, as_json: bool) -> int:
    letters = DeadLetterTopic(kafka.client_properties(), topic, f"{kafka.group_id}-dead-letters")
    try:
        for letter in letters.read():
            if letter in wanted:
                print(orjson.dumps(summary(letter)).decode() if as_json else line(letter), flush=True)
    finally:
        letters.close()
    return 0


def line(letter: DeadLetter) -> str:
    place = f"{letter.record.partition}/{letter.record.offset}"
    destination = str(letter.attributes().get("destination", "-"))[:64]
    time = letter.refused_at.isoformat(timespec="seconds")
    return f"{place:>10}  {time}  {destination!r:12}  {letter.attempts} attempts  {letter.reason}"


def summary(letter: DeadLetter) -> dict[str, Any]:
    attributes = letter.attributes()
    return {
        "place": f"{letter.record.partition}/{letter.record.offset}",
        "refused_at": letter.refused_at,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "topic": letter.topic,
        "id": attributes.get("id"),
        "source": attributes.get("source"),
        "destination": attributes.get("destination"),
    }


def show(kafka: Kafka, topic: str, place: str) -> int:
    partition, _, offset = place.partition("/")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise Failure(f"{place!r} is not of the form PARTITION/OFFSET, as in 0/17")
    wanted = (int(partition), int(offset))
    if wanted[0] > MAX_PARTITION or wanted[1] > MAX_OFFSET:
        raise Failure(f"there is no dead letter {place} on {topic!r}: Kafka has no such place")
    letters = DeadLetterTopic(kafka.client_properties(), topic, f"{kafka.group_id}-dead-letters")
    try:
        for letter in letters.read({wanted[0]: wanted[1]}, only=wanted[0]):
            if (letter.record.partition, letter.record.offset) == wanted:
                whole = summary(letter) | {
                    "key": readable(letter.record.key),
                    "headers": [[name, readable(value)] for name, value in letter.record.headers],
                    "value": readable(letter.record.value),
                }
                print(orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode())
                return 0
    finally:
        letters.close()
    raise Failure(f"there is no dead letter {place} on {topic!r}")


def readable(content: bytes | None) -> str | dict[str, str] | None:
    """Text where it is UTF-8; else `{"base64": …}`."""
    if content is None:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def replay(kafka: Kafka, topic: str, wanted: Filter, name: str, *, dry_run: bool) -> int:
    """name: the group whose offsets say what was replayed before, and the transactions' identity."""
    letters = DeadLetterTopic(kafka.client_properties(), topic, name)
    try:
        if dry_run:
            count = 0
            for letter in letters.read(letters.committed()):
                if letter in wanted:
                    count += 1
                    print(line(letter), flush=True)
            print(f"{count} dead letters would be replayed")
            return 0
        properties = kafka.client_properties()
        publisher = ExactlyOnce(properties, kafka.partitioner, name)
        topics = Topics(properties, kafka.input_topics, kafka.output_topic, topic)
        sizes = topics.sizes_of_inputs()
        publisher.allow(sizes.record_bytes, sizes.batch_bytes)
        try:
            count = Replay(letters, publisher, wanted, kafka.input_topics[0]).run()
        finally:
            publisher.close()
        print(f"{count} dead letters replayed")
        return 0
    finally:
        letters.close()
