"""`fncast state`: shows the snapshots of a group's state, and resets them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from consumer.errors import ConsumerError
from consumer.state.inspection import PartitionSummary, StateTopic
from fncast.cli.arguments.settings import add_kafka_arguments, kafka_settings
from fncast.failure import Failure
from fncast.foreign_text import clean, escaped
from fncast.wording.count import counted

MAX_CELL = 300  # characters
COLUMNS = ("topic", "partition", "interceptor", "offset", "age", "series", "bytes", "version")
EXAMPLES = """
fncast state show
fncast state show --json
fncast state reset --topic telegraf --yes
fncast state reset --replay --yes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    show = action("show", "list the snapshots of the group's state, by topic and partition")
    show.add_argument(
        "--json", action="store_true", help="print one JSON object a line, one for each snapshot"
    )
    reset = action("reset", "delete the group's state; its consumers must be stopped")
    reset.add_argument(
        "--topic", action="append", default=[], metavar="NAME", help="only this input topic; may be repeated"
    )
    reset.add_argument(
        "--replay",
        action="store_true",
        help="build the state from the first record that Kafka has, at the next start; forecasts of steps that the"
        " clock closed may be published again, with the same id (default: begin with empty windows)",
    )
    reset.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    for each in (show, reset):
        add_kafka_arguments(each)
        each.add_argument("--group", help="the consumer group (default: [kafka] group_id)")


def run(arguments: argparse.Namespace) -> int:
    """Show or reset the state. Returns the exit code. Raises Failure."""
    kafka = kafka_settings(arguments)
    group = arguments.group or kafka.group_id
    state = StateTopic(kafka.client_properties(), kafka.state_topic, group)
    try:
        if arguments.action == "show":
            print_summaries(state.summaries(), arguments.json)
            return 0
        named = ", ".join(arguments.topic) or "all topics"
        if not arguments.yes and not confirmed(f"Delete the state of {named} in the group {group}?"):
            raise Failure("nothing was deleted")
        partitions = state.reset(arguments.topic, is_replayed=arguments.replay)
        if missing := sorted(set(arguments.topic) - {topic for topic, _ in partitions}):
            others = sorted({summary.topic for summary in state.summaries()})
    except ConsumerError as error:
        raise Failure(str(error)) from None
    print(f"deleted the state of {counted(len(partitions), 'partition')}")
    if missing:
        raise Failure(_without_state(missing, others, group))
    return 0


def _without_state(missing: Sequence[str], others: Sequence[str], group: str) -> str:
    wanted, found = (clean(", ".join(names), MAX_CELL) for names in (missing, others))
    rest = f"It has state of {found}" if found else "It has none of other topics"
    return f"the group {group} has no state of {wanted}. {rest}"


def confirmed(question: str) -> bool:
    """Ask on the terminal. Returns whether the answer is yes. Raises Failure without a terminal."""
    if not sys.stdin.isatty():
        raise Failure("pass --yes to delete the state without being asked")
    print(f"{clean(question, MAX_CELL)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def print_summaries(summaries: Sequence[PartitionSummary], as_json: bool) -> None:
    """Print the snapshots as a table, or as one JSON object a line."""
    if as_json:
        for summary in summaries:
            print(escaped(json.dumps(asdict(summary))))
        return
    rows = [COLUMNS, *map(_row, summaries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(summary: PartitionSummary) -> tuple[str, ...]:
    age_s = max(0.0, time.time() - summary.newest_ms / 1000)

    def text(number: int | None) -> str:
        return "-" if number is None else str(number)

    return (
        clean(summary.topic, MAX_CELL),
        str(summary.partition),
        clean(summary.interceptor, MAX_CELL),
        text(summary.offset),
        _age(age_s),
        text(summary.series),
        str(summary.bytes),
        text(summary.version),
    )


def _age(seconds: float) -> str:
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length_s:
            return f"{seconds / length_s:.1f}{unit}"
    return f"{seconds:.0f}s"
